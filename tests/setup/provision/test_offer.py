"""What AWS offers: the version is checked before anything is made, and what it can do is taken from AWS's answer."""

import pytest

from rds_iam_magic.aws.session import open_session
from rds_iam_magic.errors import ProvisionError
from rds_iam_magic.setup.provision import offer as module
from rds_iam_magic.setup.provision.offer import Offer, find_offer
from rds_iam_magic.setup.provision.request import ProvisionOptions, read_request
from rds_iam_magic.setup.provision.template import default_of


def request(**options):
    return read_request("a", ProvisionOptions(**options), None, yes=False)


@pytest.fixture
def offered(monkeypatch):
    """AWS's versions are those of the list."""
    rows, asked = [], []

    def ask(_session, _service, _call, _doing, wanted, *, part):
        asked.append(wanted)
        version = wanted.get("EngineVersion")
        found = [row for row in rows if version is None or row["EngineVersion"].startswith(version)]
        return {part: found[-1:] if wanted.get("DefaultOnly") else found}

    monkeypatch.setattr(module, "ask", ask)
    rows.append(row("8.4.3", "mysql8.4"))
    return rows


def row(version, family, **more):
    logs = ["error", "slowquery"]
    return {
        "Engine": "mysql",
        "EngineVersion": version,
        "DBParameterGroupFamily": family,
        "ExportableLogTypes": logs,
    } | more


@pytest.mark.usefixtures("inside")
@pytest.mark.slow
@pytest.mark.parametrize(("engine", "family"), [("aurora", "aurora-mysql8.0"), ("mysql", "mysql8.4")])
def test_the_templates_default_is_offered(engine, family):
    found = find_offer(open_session(), request(engine=engine), "us-east-1")
    assert (found.version, found.family) == (default_of(engine, "EngineVersion"), family)
    assert default_of(engine, "ParameterFamily") == family
    assert found.logs == tuple(default_of(engine, "Logs").split(",")) == ("error", "iam-db-auth-error")
    assert found.instead_of == ""


def test_awss_own_default_where_that_one_is_not_offered(offered):
    offered.append(row("8.9.1", "mysql8.9"))
    found = find_offer(None, request(engine="mysql"), "r")
    assert found == Offer(
        "mysql", "8.9.1", "mysql8.9", ("error",), None, instead_of=default_of("mysql", "EngineVersion")
    )


def test_the_wanted_version(offered):
    assert find_offer(None, request(engine="mysql", engine_version="8.4.3"), "r").version == "8.4.3"
    offered.append(row("8.4.4", "mysql8.4", Status="deprecated"))
    with pytest.raises(ProvisionError, match=r"AWS does not offer mysql 8\.4\.4 in r\.") as caught:
        find_offer(None, request(engine="mysql", engine_version="8.4.4"), "r")
    assert caught.value.cause == "engine-version-unknown"


def test_a_version_that_is_cut_short(offered):
    """AWS answers with all that begin so; which of them is meant is for the user to say."""
    offered.append(row("8.4.11", "mysql8.4"))
    with pytest.raises(ProvisionError, match=r"does not offer mysql 8\.4 in r, but 8\.4\.3, 8\.4\.11\."):
        find_offer(None, request(engine="mysql", engine_version="8.4"), "r")


@pytest.mark.parametrize(
    ("version", "least", "most", "ok"),
    [
        ("8.0.mysql_aurora.3.10.6", "0", "256", True),
        ("8.0.mysql_aurora.3.04.4", "0.5", "128", True),
        ("8.0.mysql_aurora.3.04.4", "0", "2", False),
        ("8.0.mysql_aurora.3.04.4", "0.5", "129", False),
    ],
)
@pytest.mark.usefixtures("inside")
@pytest.mark.slow
def test_the_capacity_is_the_versions(version, least, most, ok):
    wanted = request(engine_version=version, min_acu=least, max_acu=most)
    if ok:
        assert find_offer(open_session(), wanted, "us-east-1").version == version
        return
    with pytest.raises(ProvisionError, match=r"3\.04\.4 has 0\.5 to 128 ACU, not ") as caught:
        find_offer(open_session(), wanted, "us-east-1")
    assert caught.value.cause == "capacity-not-offered"
