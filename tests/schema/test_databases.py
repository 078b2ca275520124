"""The schemas on the server, and the databases in the AWS account."""

import pytest

from rds_iam_magic.schema.databases import list_on_aws

pytestmark = pytest.mark.slow  # servers and kernels


def test_schemas_with_the_servers_own_last(shop):
    schemas = shop.databases()
    assert list(schemas.columns) == ["schema", "tables", "collation"]
    assert schemas["schema"].tolist() == ["shop", "information_schema"]
    assert schemas["tables"][0] == 4


def test_an_empty_schema_is_one(limited):
    schemas = limited.databases().set_index("schema")["tables"]
    assert schemas["kept_empty"] == 0
    assert schemas["kept"] == 3


def test_the_databases_of_the_account(shop, inside):
    found = shop.databases(aws=True)
    assert list(found.columns) == [
        "identifier", "role", "cluster", "engine", "version", "status", "endpoint", "iam", "region",
    ]  # fmt: skip
    assert found["identifier"].tolist() == ["sandbox", "sandbox-1", "standalone", "warehouse"]
    assert found["endpoint"][0] == f"{inside.endpoint}:3306"
    assert found["iam"].tolist() == [True] * 4
    assert found["cluster"].isna().tolist() == [True, False, True, True]


def test_none_in_a_region_has_the_same_columns(inside):
    import boto3

    assert inside.server.pid
    found = list_on_aws(boto3.Session(), "eu-west-2")
    assert len(found) == 0
    assert str(found.dtypes["iam"]) == "bool"
