"""The attempt through a tunnel: it is opened for it, and ended with it, whatever comes of it."""

import pytest

from rds_iam_magic.doctor.checks import server as checks
from rds_iam_magic.doctor.evidence import Network, NotLooked, Problem
from tests.doctor.checks.test_server import closed, look
from tests.support.events import wait_until
from tests.support.ssm import make_ssm
from tests.tunnels.conftest import of_tunnels, running, sshd, ssm  # noqa: F401 - fixtures

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("running")]  # servers and programs of its own


@pytest.fixture(params=["ssh", "ssm"])
def way(request):
    """The option, and the name of the way."""
    request.getfixturevalue("sshd" if request.param == "ssh" else "ssm")
    return ({"ssh": "bastion"}, "ssh bastion") if request.param == "ssh" else ({"ssm": "i-1"}, "ssm i-1")


def test_a_login_through_a_tunnel(way, inside):
    options, name = way
    evidence = look(host=inside.endpoint, user="reader", database="shop", **options)
    assert evidence.network.outcome == "open"
    assert name.split()[-1] in evidence.network.address
    assert evidence.answer.accepted
    wait_until(lambda: not of_tunnels(), "the end of the tunnel")


def test_a_tunnel_that_leads_nowhere(inside, request, tmp_path, way):
    options, _ = way
    if "ssh" in options:
        request.getfixturevalue("sshd").lead({f"{host}:3306": "127.0.0.1:1" for host in inside.hosts})
    else:
        make_ssm(tmp_path / "ssm", {})
    network = closed(look(host=inside.endpoint, user="reader", **options), "unreachable")
    assert network.problem.cause == "tunnel-blocked"
    wait_until(lambda: not of_tunnels(), "the end of the tunnel")


@pytest.mark.usefixtures("sshd")
def test_a_bastion_that_refuses(inside):
    network = closed(look(host=inside.endpoint, ssh="stranger"), "unreachable")
    assert network.problem.cause == "ssh-denied"


@pytest.mark.usefixtures("sshd")
def test_a_bastion_that_says_nothing(inside, monkeypatch):
    monkeypatch.setattr(checks, "TUNNEL", 1.0)
    closed(look(host=inside.endpoint, ssh="silent"), "unreachable")
    wait_until(lambda: not of_tunnels(), "the end of the tunnel")


def test_tls_through_a_tunnel_without_credentials(inside, request):
    """SSH needs none of AWS; SSM does."""
    request.getfixturevalue("sshd")
    keys = Problem("credentials-missing", "None.")
    evidence = look(host=inside.endpoint, ssh="bastion", keys=keys)
    assert isinstance(evidence.network, Network)
    assert evidence.tls.outcome == "verified"
    assert evidence.answer == NotLooked("credentials")
