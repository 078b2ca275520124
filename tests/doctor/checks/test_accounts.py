"""The accounts of the real server, read as the master user; and when they are not read."""

import json
from contextlib import contextmanager

import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.doctor.checks.accounts import ACCOUNTS, accounts_of
from rds_iam_magic.doctor.checks.check import Tools
from rds_iam_magic.doctor.checks.server import SERVER
from rds_iam_magic.doctor.diagnose import gather
from rds_iam_magic.doctor.evidence import (
    Answer,
    Asked,
    Evidence,
    Failed,
    Network,
    NotLooked,
    NotPermitted,
    Problem,
    ServerAccounts,
    Target,
    Tls,
)
from rds_iam_magic.setup.accounts import Account, Accounts
from tests.doctor.checks.test_server import target_of
from tests.support.fake_aws import answering, refusing

pytestmark = pytest.mark.slow  # servers and kernels

MASTER = "sandbox/standalone/master"
TARGET = Target(parse_host_name("a.cluster-abc123.us-east-1.rds.amazonaws.com"), "typed")


def look(evidence, secret=MASTER, **options):
    return ACCOUNTS.look(Tools(ConnectOptions(**options), TargetOptions(), secret), evidence).accounts


def of_sandbox(inside, user="reader", secret=MASTER, **known):
    return look(Evidence(Asked(user), target=Target(parse_host_name(inside.endpoint), "typed"), **known), secret)


@contextmanager
def made(inside, *accounts):
    with inside.server.root() as root:
        for account in accounts:
            root.execute(f"CREATE USER {account} IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL")
    try:
        yield
    finally:
        with inside.server.root() as root:
            for account in accounts:
                root.execute(f"DROP USER {account}")


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"keys": Problem("credentials-missing", "None.")}, NotLooked("credentials")),
        ({"network": Network("silent", "x")}, NotLooked("network")),
        ({"network": Network("open", "x"), "tls": Tls("name")}, NotLooked("TLS")),
    ],
)
def test_what_it_waits_for(known, expected):
    assert look(Evidence(Asked("ana"), target=TARGET, **known)) == expected


def test_without_a_secret():
    assert look(Evidence(Asked("ana"), target=TARGET), secret=None) == NotLooked(
        why="with the master user's secret ({option:secret})"
    )


def test_the_account_of_a_user_who_is_let_in(inside):
    found = of_sandbox(inside)
    assert [str(account) for account in found.named] == ["reader@%"]
    assert (found.match, found.certain) == (found.named[0], True)


def test_one_that_no_account_matches(inside):
    with made(inside, "'ana'@'10.%'", "'Ana'@'%'", "'anna'@'%'"):
        found = of_sandbox(inside, "ana")
        assert [str(account) for account in found.named] == ["ana@10.%"]
        assert {str(account) for account in found.near} == {"Ana@%", "anna@%"}
        assert (found.match, found.certain) == (None, True), "by the address of the master user's session"
        answer = Answer(accepted=False, code=1045, address="10.0.3.7")
        assert str(of_sandbox(inside, "ana", answer=answer).match) == "ana@10.%", "by the address in the answer"


def test_an_account_without_a_name_takes_the_masters_place_too(inside):
    with made(inside, "''@'127.%'"):
        assert of_sandbox(inside).cause == "password-denied"


def test_none_of_that_name(inside):
    found = of_sandbox(inside, "zebra")
    assert found == ServerAccounts(named=(), near=(), match=None, certain=True)


def test_behind_a_proxy_the_servers_client_is_another_one(inside):
    host = next(host for host in inside.hosts if ".proxy-" in host)
    with made(inside, "'ana'@'10.%'"):
        found = look(Evidence(Asked("ana"), target=Target(parse_host_name(host), "typed")))
    assert (found.match, found.certain) == (None, False)


def test_a_secret_that_is_not_the_masters(inside):
    client = inside.client("secretsmanager")
    client.create_secret(Name="wrong", SecretString=json.dumps({"username": "admin", "password": "n0t-it"}))
    try:
        wrong = of_sandbox(inside, secret="wrong")
    finally:
        client.delete_secret(SecretId="wrong", ForceDeleteWithoutRecovery=True)
    assert (wrong.cause, "n0t-it" in repr(wrong)) == ("password-denied", False)
    assert of_sandbox(inside, secret="none").cause == "secret-unknown"


def test_a_user_who_may_not_read_the_accounts(inside):
    client = inside.client("secretsmanager")
    with inside.server.root() as root:
        root.execute("CREATE USER 'other'@'%' IDENTIFIED BY 'passw0rd'")
    client.create_secret(Name="other", SecretString=json.dumps({"username": "other", "password": "passw0rd"}))
    try:
        found = of_sandbox(inside, secret="other")
    finally:
        client.delete_secret(SecretId="other", ForceDeleteWithoutRecovery=True)
        with inside.server.root() as root:
            root.execute("DROP USER 'other'@'%'")
    assert found.cause == "accounts-unreadable"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("AccessDeniedException", NotPermitted("secretsmanager:GetSecretValue")),
        (
            "ThrottlingException",
            Failed(f"AWS failed while reading the secret {MASTER}: too many requests (ThrottlingException)."),
        ),
    ],
)
def test_a_secret_that_cannot_be_read(inside, monkeypatch, code, expected):
    with answering(refusing(code, "no")) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)
        tools = Tools(ConnectOptions(), TargetOptions(), MASTER)
        evidence = gather(Asked("reader"), tools, [target_of(inside.endpoint), ACCOUNTS], notify=lambda _: None)
    assert evidence.accounts == expected


def test_in_a_healthy_sandbox_it_comes_after_the_answer(inside):
    lines = []
    evidence = gather(
        Asked("reader", database="shop"),
        Tools(ConnectOptions(), TargetOptions(), MASTER),
        [ACCOUNTS, SERVER, target_of(inside.endpoint)],
        notify=lines.append,
    )
    assert evidence.answer.accepted
    assert evidence.accounts.match.has_plugin
    assert not evidence.grants.nothing


def test_an_account_without_a_name_takes_the_place():
    named, nobody = Account("ana", "%"), Account("", "10.%")
    accounts = Accounts((named, nobody), known=frozenset(), wildcards=True, resolves_names=True, is_mariadb=False)
    assert accounts_of(accounts, "ana", "10.0.3.7") == ServerAccounts((named,), match=nobody, certain=True)
    assert accounts_of(accounts, "ana", "192.168.0.1") == ServerAccounts((named,), match=named, certain=True)


def test_the_names_that_are_near():
    every = ("analyst", "Analyst", "ANALYST", "analist", "anaylst", "reader", "")
    accounts = Accounts(
        all=(*(Account(name, "%") for name in every), Account("analystt", "", is_role=True)),
        known=frozenset(),
        wildcards=True,
        resolves_names=False,
        is_mariadb=True,
    )
    found = accounts_of(accounts, "analyst", "10.0.3.7")
    assert {account.user for account in found.near} == {"Analyst", "ANALYST", "analist", "anaylst"}
    assert found.match == Account("analyst", "%")
