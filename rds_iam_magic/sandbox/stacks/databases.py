"""Databases of moto's RDS: which one answers at an address, and what lets the sandbox's server stand for them.

The server has one certificate and one master password, so that all clusters share a label in their host names, which a
wildcard covers, and each secret that RDS manages has the server's password.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random
from moto.rds.models import DBCluster, MasterUserSecret, rds_backends
from moto.rds.responses import RDSResponse
from moto.utilities.utils import get_partition

from rds_iam_magic.sandbox.iam import ACCOUNT
from rds_iam_magic.sandbox.moto import proxies
from rds_iam_magic.sandbox.verifier import ServedEndpoint

_SPOKEN = ("mysql", "mariadb", "aurora-mysql")
_PROXY_PORT = 3306
_OF_GLOBAL = "us-east-1"  # where moto keeps global databases


def install(password: str) -> None:
    """Change this process's moto, before it is used.

    Args:
        password: The server's master password.
    """

    def secret_text(secret: Any) -> str:
        return json.dumps({"username": secret.resource.master_username, "password": password})

    label = f"c{mock_random.get_random_string(11, lower_case=True)}"  # AWS has one for each account and region
    replace(MasterUserSecret, _generate_secret_string=secret_text)
    replace(DBCluster, url_identifier=property(lambda _: label, lambda *_: None))
    # It is named by the minute, so that a second cluster of that name could not be made within it.
    replace(DBCluster, save_automated_backup=lambda _: None)
    replace(RDSResponse, describe_db_engine_versions=_describe_engine_versions)


def replace(owner: Any, **members: Any) -> None:
    """Replace members of one of moto's classes."""
    for name, member in members.items():
        setattr(owner, name, member)


def find_endpoint(place: str) -> ServedEndpoint | None:
    """The database or proxy that answers at `host:port`, as far as AWS knows it."""
    for region, backend in list(rds_backends[ACCOUNT].items()):
        databases: list[Any] = [*backend.clusters.values(), *backend.databases.values()]
        for database in databases:
            if database.engine in _SPOKEN and place in _places(database):
                return _served(backend.clusters.get(database.db_cluster_identifier or "", database), region)
        for proxy in backend.db_proxies.values():
            if place in {f"{host}:{_PROXY_PORT}" for host in proxies.hosts_of(proxy)}:
                resource_id = proxy.arn.rpartition(":")[2]
                return ServedEndpoint(region, _arn(region, resource_id), iam_enabled=proxies.takes_tokens(proxy))
    return _global_writer(place)


def _served(owner: Any, region: str) -> ServedEndpoint:
    if isinstance(owner, DBCluster):
        arn, owned = _arn(region, owner.db_cluster_resource_id), f"cluster/{owner.db_cluster_identifier}"
        return ServedEndpoint(region, arn, iam_enabled=bool(owner.iam_auth), owner=owned)
    arn, owned = _arn(region, owner.dbi_resource_id), f"instance/{owner.db_instance_identifier}"
    return ServedEndpoint(region, arn, iam_enabled=bool(owner.enable_iam_database_authentication), owner=owned)


def _arn(region: str, resource_id: str) -> str:
    return f"arn:{get_partition(region)}:rds-db:{region}:{ACCOUNT}:dbuser:{resource_id}"


def _global_writer(place: str) -> ServedEndpoint | None:
    """A global database's own endpoint leads to the writer, wherever that is by now: its region is to be signed for."""
    for database in rds_backends[ACCOUNT][_OF_GLOBAL].global_clusters.values():
        for member in database.members:
            if member.is_writer and place == f"{database.endpoint}:{member.port}":
                return _served(member, member.region)
    return None


def _places(database: Any) -> set[str]:
    if isinstance(database, DBCluster):
        hosts = [database.endpoint, database.reader_endpoint, *getattr(database, "custom_endpoints", [])]
        return {f"{host}:{database.port}" for host in hosts}
    return {f"{database.address}:{database.port}"}


def _describe_engine_versions(response: Any) -> Any:
    """DescribeDBEngineVersions, of a few versions."""
    wanted = {name: response.params.get(name) for name in ("Engine", "EngineVersion", "DefaultOnly")}
    rows = [
        row
        for row in _VERSIONS
        if row["Engine"] == wanted["Engine"]
        and wanted["EngineVersion"] in (None, row["EngineVersion"])
        and (not wanted["DefaultOnly"] or row is next(r for r in _VERSIONS if r["Engine"] == row["Engine"]))
    ]
    return ActionResult({"DBEngineVersions": rows})


def _version(engine: str, version: str, family: str, **more: Any) -> dict[str, Any]:
    logs = ["audit", "error", "general", "iam-db-auth-error", "slowquery"]
    row = {"Engine": engine, "EngineVersion": version, "DBParameterGroupFamily": family, "ExportableLogTypes": logs}
    return {**row, "Status": "available", **more}


_PAUSES = {"ServerlessV2FeaturesSupport": {"MinCapacity": 0.0, "MaxCapacity": 256.0}}
_STAYS = {"ServerlessV2FeaturesSupport": {"MinCapacity": 0.5, "MaxCapacity": 128.0}}
_VERSIONS = (  # the first of each engine is its default
    _version("aurora-mysql", "8.0.mysql_aurora.3.10.6", "aurora-mysql8.0", **_PAUSES),
    _version("aurora-mysql", "8.0.mysql_aurora.3.04.4", "aurora-mysql8.0", **_STAYS),
    _version("mysql", "8.4.11", "mysql8.4"),
    _version("mysql", "8.0.46", "mysql8.0", ExportableLogTypes=["error", "general", "slowquery"]),
)
