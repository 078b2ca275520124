"""From every way to name a database to a row: the token is signed for what the server is, and TLS verified for it."""

import pickle

import pytest

import rds_iam_magic
from rds_iam_magic import connecting
from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.errors import OptionError, RdsIamWarning, UnreachableError
from rds_iam_magic.sandbox import seed
from tests.support.dns import glibc_asks_dns, resolving

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("inside")]  # servers

WHO = "SELECT CURRENT_USER() AS user"
ARN = "arn:aws:rds:us-east-1:123456789012"


@pytest.fixture
def signed(monkeypatch):
    """The endpoints that tokens were signed for."""
    endpoints, sign = [], connecting.sign_token

    def watched(session, endpoint, user):
        endpoints.append(endpoint)
        return sign(session, endpoint, user)

    monkeypatch.setattr(connecting, "sign_token", watched)
    return endpoints


@pytest.mark.parametrize(
    ("options", "host"),
    [
        ({"target": "mysql://reader@sandbox/shop"}, 0),
        ({"target": f"{ARN}:cluster:sandbox"}, 0),
        ({"target": f"{ARN}:cluster-endpoint:analytics"}, 4),
        ({"target": "sandbox-proxy"}, 5),
        ({"target": "worldwide"}, 6),
        ({"target": f"arn:aws:rds:ap-northeast-1:123456789012:cluster:{list(seed.GLOBAL_MEMBERS)[1]}"}, 7),
        ({"target": "sandbox", "reader": True}, 1),
        ({"target": "sandbox", "endpoint": "analytics"}, 4),
        ({"stack": "sandbox"}, 0),
        ({"stack": "article-output", "reader": True}, 1),
        ({"secret": "sandbox/standalone/master"}, 3),
    ],
    ids=str,
)
def test_to_a_row(inside, signed, options, host):
    notes = []
    with rds_iam_magic.connect(**{"user": "reader", "database": "shop", "notify": notes.append, **options}) as db:
        assert db.query(WHO)["user"].to_list() == ["reader@%"]
        assert db.login.endpoint.host == inside.hosts[host]
    assert {endpoint.host for endpoint in signed} == {inside.hosts[host]}
    assert len(notes) == bool({"stack", "secret"} & set(options) or options.get("target") == "worldwide")


def test_the_schema_that_a_secret_names(inside):
    secrets = inside.client("secretsmanager")
    text = f'{{"username": "a", "password": "x", "host": "{inside.hosts[0]}", "dbname": "shop"}}'
    secrets.create_secret(Name="of-shop", SecretString=text)
    try:
        for database, expected in ((None, "shop"), ("information_schema", "information_schema")):
            with rds_iam_magic.connect(secret="of-shop", user="reader", database=database, notify=str) as db:
                assert db.query("SELECT DATABASE() AS d").loc[0, "d"] == expected
    finally:
        secrets.delete_secret(SecretId="of-shop", ForceDeleteWithoutRecovery=True)


def test_after_a_switchover_the_next_session_is_for_the_new_writer(inside, signed):
    """Region and host: the server's verifier lets nobody in with a token for another."""
    rds, notes = inside.client("rds"), []

    def switch(name):
        arn = f"arn:aws:rds:{seed.GLOBAL_MEMBERS[name]}:123456789012:cluster:{name}"
        rds.switchover_global_cluster(GlobalClusterIdentifier=seed.GLOBAL, TargetDbClusterIdentifier=arn)

    west, east = seed.GLOBAL_MEMBERS
    try:
        with rds_iam_magic.connect("worldwide", user="reader", notify=notes.append) as db:
            db.query(WHO)
            switch(east)
            with inside.server.root() as root:
                root.execute("KILL %s", (db.connection_id,))
            assert db.query(WHO)["user"].to_list() == ["reader@%"]
    finally:
        switch(west)
    assert [(each.host, each.region) for each in signed[:2]] == [
        (inside.hosts[6], "eu-west-1"),
        (inside.hosts[7], "ap-northeast-1"),
    ]
    assert f"the endpoint is {inside.hosts[7]} now, no longer {inside.hosts[6]}." in notes


def test_if_aws_cannot_be_asked_just_then_the_last_endpoint_is_taken(inside, signed, monkeypatch):
    notes = []
    with rds_iam_magic.connect("worldwide", user="reader", notify=notes.append) as db:
        db.query(WHO)
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        with inside.server.root() as root:
            root.execute("KILL %s", (db.connection_id,))
        assert db.query(WHO)["user"].to_list() == ["reader@%"]
    assert {each.host for each in signed} == {inside.hosts[6]}
    assert len(signed) > 1


@pytest.mark.skipif(not glibc_asks_dns(), reason="needs glibc's resolver, and names over DNS")
def test_a_name_of_ones_own(inside, signed, monkeypatch):
    notes = []
    with resolving(monkeypatch, {"db.example.com": ["db.example.net", inside.hosts[0], inside.hosts[2]]}):
        with rds_iam_magic.connect("db.example.com", user="reader", notify=notes.append) as db:
            assert db.query(WHO)["user"].to_list() == ["reader@%"]
    assert signed[0].host == inside.hosts[0]
    assert notes == [f"db.example.com leads to {inside.hosts[0]} (CNAME): the token and TLS are for that name."]


def test_the_port_when_nothing_answers(inside, monkeypatch):
    """A host name does not tell it; by an identifier it is known."""
    monkeypatch.delenv("RDS_IAM_MAGIC_VIA")
    with pytest.raises(UnreachableError) as caught:
        rds_iam_magic.connect(f"{inside.hosts[3]}:3307", user="reader", connect_timeout=5)
    assert caught.value.hint.startswith("RDS says that its port is 3306, not 3307. ")
    with pytest.warns(RdsIamWarning, match="port 3306; the token"), pytest.raises(UnreachableError) as caught:
        rds_iam_magic.connect("standalone", user="reader", port=3307, connect_timeout=5)
    assert "RDS says" not in caught.value.hint


def test_through_a_tunnel_the_port_is_the_tunnels(inside):
    with pytest.raises(UnreachableError) as caught:
        rds_iam_magic.connect(f"{inside.hosts[3]}:3307", user="reader", via="127.0.0.1:1")
    assert "RDS says" not in caught.value.hint


@pytest.mark.parametrize(
    "options",
    [{}, {"target": ""}, {"target": "a", "stack": "b"}, {"stack": "a", "secret": "b"}, {"stack": " "}, {"secret": ""}],
    ids=str,
)
@pytest.mark.parametrize(
    "function", [rds_iam_magic.connect, rds_iam_magic.pymysql_connect, rds_iam_magic.sqlalchemy_engine]
)
def test_one_name_is_needed(function, options):
    with pytest.raises(OptionError):
        function(user="reader", **options)


def test_the_plain_driver_and_engines_take_the_same_options(inside):
    with rds_iam_magic.pymysql_connect(stack="sandbox", reader=True, user="reader", notify=str) as plain:
        with plain.cursor() as cursor:
            cursor.execute("SELECT 1")
        assert plain.host == inside.hosts[1]
    engine = rds_iam_magic.sqlalchemy_engine(secret="sandbox/master", user="reader", database="shop", notify=str)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT DATABASE()").scalar() == "shop"
    engine.dispose()
    assert engine.url.host == inside.hosts[0]


@pytest.mark.parametrize(
    "options",
    [
        {"stack": "sandbox"},
        {"target": "worldwide"},
        {"target": "worldwide", "region": "us-east-1"},
        {"target": "sandbox", "reader": True},
    ],
    ids=str,
)
def test_tasks_for_other_processes_know_the_endpoint(options):
    sql = "SELECT id, customer_id FROM orders"
    with rds_iam_magic.connect(user="reader", database="shop", notify=str, **options) as db:
        tasks = pickle.loads(pickle.dumps(db.partitions(sql, n=2)))
        count = len(db.query(sql))
        assert {task.recipe.target for task in tasks} == {str(db.login.endpoint)}
    assert sum(len(task.read(notify=pytest.fail)) for task in tasks) == count


def test_the_master_by_what_a_stack_names():
    for stack in ("sandbox", "article-output"):
        where = TargetOptions(stack=stack)
        with connecting.connect_as_master(None, ConnectOptions(), where=where, notify=str) as master:
            assert master.query(WHO)["user"].to_list() == ["admin@%"]
    with pytest.raises(OptionError, match="The master user's secret is missing") as caught:
        connecting.connect_as_master(None, ConnectOptions(), target="standalone")
    assert "secret=" in caught.value.hint
