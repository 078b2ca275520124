"""`sqlalchemy_engine`: a fresh token for each pooled connection, verified TLS, nothing secret in the engine."""

import datetime as dt
import logging
import pickle
import subprocess
import sys

import pandas as pd
import pymysql
import pytest
import sqlalchemy
import trustme
from sqlalchemy import pool
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import rds_iam_magic
from rds_iam_magic import connecting
from rds_iam_magic.errors import CredentialsError, OptionError, TlsError
from tests.support import clock

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("inside", "scratch")]  # servers


@pytest.fixture
def tokens(monkeypatch):
    """The tokens that were signed."""
    signed = []
    sign = connecting.sign_token

    def watched(*values):
        secret = sign(*values)
        signed.append(secret.reveal().decode())
        return secret

    monkeypatch.setattr(connecting, "sign_token", watched)
    return signed


@pytest.fixture
def engine_of():
    engines = []

    def make(target="sandbox", **options):
        engines.append(rds_iam_magic.sqlalchemy_engine(target, **options))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def engine(engine_of):
    return engine_of(user="tester", database="scratch")


def scalar(engine, sql):
    with engine.connect() as connection:
        return connection.execute(sqlalchemy.text(sql)).scalar()


def test_each_pooled_connection_has_a_token_of_its_own(engine, tokens):
    assert tokens == [], "nothing is connected yet"
    with engine.connect() as first, engine.connect() as second:
        ids = {connection.execute(sqlalchemy.text("SELECT CONNECTION_ID()")).scalar() for connection in (first, second)}
    assert len(ids) == 2
    assert len(tokens) == 2
    with engine.connect() as again:
        assert again.execute(sqlalchemy.text("SELECT CONNECTION_ID()")).scalar() in ids
    assert len(tokens) == 2, "one from the pool"


def test_a_token_is_signed_when_its_connection_is_opened(engine, inside, monkeypatch):
    """The verifier sees when each was signed: an engine that is older than a token goes on."""
    now = dt.datetime.now(dt.timezone.utc)
    assert scalar(engine, "SELECT 1") == 1
    engine.dispose()
    with monkeypatch.context() as patch:
        clock.stop(patch, now - dt.timedelta(minutes=16))
        with pytest.raises(CredentialsError):  # STS refuses what is signed by that clock, too
            scalar(engine, "SELECT 1")
    assert "the token expired" in inside.refusals()[-1]
    assert scalar(engine, "SELECT 1") == 1


def test_a_connection_that_has_died_is_replaced_before_it_is_used(engine, inside, tokens):
    number = scalar(engine, "SELECT CONNECTION_ID()")
    with inside.server.root() as root:
        root.execute(f"KILL {number}")
    assert scalar(engine, "SELECT CONNECTION_ID()") != number
    assert len(tokens) == 2


def test_tls_is_verified(engine, engine_of, tmp_path):
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("SHOW STATUS LIKE 'Ssl_version'")).one()[1] == "TLSv1.3"
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    distrusting = engine_of(user="reader", ca=str(tmp_path / "other.pem"))
    with pytest.raises(TlsError, match="nothing was sent"):
        scalar(distrusting, "SELECT 1")


def test_there_is_no_secret_in_the_engine(engine, tokens, caplog):
    caplog.set_level(logging.DEBUG)
    scalar(engine, "SELECT 1")
    with pytest.raises(sqlalchemy.exc.DBAPIError) as caught:
        scalar(engine, "SELECT * FROM nowhere")
    (token,) = tokens
    signature = token.rpartition("=")[2]
    assert engine.url.password is None
    assert (engine.url.username, engine.url.database, engine.url.port) == ("tester", "scratch", 3306)
    assert engine.url.host.startswith("sandbox.cluster-")
    texts = [repr(engine), str(engine.url), repr(engine.pool), str(caught.value), caplog.text]
    texts += [repr(vars(engine)), repr(vars(engine.pool)), repr(pickle.dumps(caught.value))]
    assert [text for text in texts if signature in text or "X-Amz" in text] == []
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(engine)


def test_features_of_the_dialect(engine):
    assert sqlalchemy.inspect(engine).default_schema_name == "scratch"
    with engine.connect() as connection:
        assert connection.dialect.is_mariadb
        assert connection.dialect.server_version_info[0] >= 10
        assert connection.get_isolation_level() == "REPEATABLE READ"


def test_a_round_trip_of_a_frame(engine):
    frame = pd.DataFrame(
        {
            "id": [1, 2, 3],
            "name": ["Ana", "Zoë's %s :x", None],
            "at": pd.to_datetime(["2026-01-02 03:04:05", None, "2026-01-02 00:00:00"]),
            "amount": [1.5, None, -2.25],
        }
    )
    assert frame.to_sql("frames", engine, if_exists="replace", index=False) == 3
    assert frame.to_sql("frames", engine, if_exists="append", index=False, method="multi") == 3
    back = pd.read_sql("SELECT * FROM frames", engine)
    pd.testing.assert_frame_equal(
        back, pd.concat([frame, frame], ignore_index=True), check_dtype=False, check_column_type=False
    )
    assert list(pd.read_sql_table("frames", engine, columns=["id"])["id"]) == [1, 2, 3, 1, 2, 3]
    bound = pd.read_sql(sqlalchemy.text("SELECT id FROM frames WHERE name = :name"), engine, params={"name": "Ana"})
    assert list(bound["id"]) == [1, 1]
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DROP TABLE frames"))


def test_a_transaction_is_one(engine):
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE OR REPLACE TABLE kept (a INT)"))
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("INSERT INTO kept VALUES (1)"))
    assert scalar(engine, "SELECT COUNT(*) FROM kept") == 0, "it was rolled back"
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("INSERT INTO kept VALUES (1)"))
    assert scalar(engine, "SELECT COUNT(*) FROM kept") == 1
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DROP TABLE kept"))


def test_rows_are_counted_as_sqlalchemy_expects(engine):
    """Those found, not those changed: an object that is saved as it was is no stale one."""

    class Base(DeclarativeBase):
        pass

    class Thing(Base):
        __tablename__ = "things"
        id: Mapped[int] = mapped_column(primary_key=True)
        size: Mapped[int]

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Thing(id=1, size=2))
        session.commit()
    with engine.begin() as connection:
        assert connection.execute(sqlalchemy.update(Thing).values(size=2)).rowcount == 1
    Base.metadata.drop_all(engine)


def test_options_of_the_engine(engine_of):
    engine = engine_of(
        user="reader",
        database="shop",
        time_zone="+09:00",
        read_only=True,
        pool_size=1,
        max_overflow=0,
        pool_recycle=60,
        isolation_level="AUTOCOMMIT",
        connect_args={"read_timeout": 20, "init_command": "SET @a = 7"},
    )
    assert (engine.pool.size(), engine.pool._recycle, engine.pool._pre_ping) == (1, 60, True)
    with engine.connect() as connection:
        row = connection.execute(sqlalchemy.text("SELECT @a, @@time_zone, @@autocommit, @@tx_read_only")).one()
        assert tuple(row) == (7, "+09:00", 1, 1)
        assert connection.connection.driver_connection._read_timeout == 20
        assert isinstance(connection.connection.driver_connection, pymysql.connections.Connection)


@pytest.mark.parametrize("kind", [pool.NullPool, pool.StaticPool, pool.QueuePool, pool.SingletonThreadPool])
def test_other_pools(engine_of, kind, tokens):
    engine = engine_of(user="reader", poolclass=kind)
    assert [scalar(engine, "SELECT 1") for _ in range(2)] == [1, 1]
    assert len(tokens) == (2 if kind is pool.NullPool else 1)


def test_a_held_connections_login(engine_of):
    with rds_iam_magic.connect("sandbox", user="reader", database="shop", time_zone="+09:00") as held:
        engine = engine_of(held)
        assert engine.url.database == "shop"
        assert scalar(engine, "SELECT @@time_zone") == "+09:00"
        assert scalar(engine, "SELECT CONNECTION_ID()") != held.connection_id


@pytest.mark.parametrize(
    ("options", "words", "hint"),
    [
        ({"creator": print}, "creator= cannot be given", "fresh token"),
        ({"autocommit": True}, "autocommit= cannot be given", 'isolation_level="AUTOCOMMIT"'),
        ({"connect_args": {"password": "s3cret"}}, "password= cannot be given", "a token takes its place"),
        ({"connect_args": {"ssl": {}}}, "ssl= cannot be given", "ca= names another"),
        ({"pool_sise": 3}, "no such option: .*'pool_sise'", ""),
    ],
)
def test_options_that_are_refused(options, words, hint):
    with pytest.raises(OptionError, match=words) as caught:
        rds_iam_magic.sqlalchemy_engine("sandbox", user="reader", **options)
    assert hint in caught.value.hint
    assert "s3cret" not in str(caught.value)


def test_without_sqlalchemy():
    script = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "import rds_iam_magic\n"
        "try: rds_iam_magic.sqlalchemy_engine('sandbox', user='reader')\n"
        "except rds_iam_magic.OptionError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == 'SQLAlchemy is not installed.\nRun pip install "rds-iam-magic[sqlalchemy]".\n'
