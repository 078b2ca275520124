"""Statements with parameters on a real server: run again after a loss as others are, and in parts."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rds_iam_magic
from rds_iam_magic.errors import ConnectionLostError, OptionError, StatementError
from rds_iam_magic.mysql.session import ServerSession
from tests.support.events import connection_id, when, works_on

pytestmark = pytest.mark.slow  # servers and kernels


def lost(sandbox, db):
    """The session is killed while it works on a statement."""
    number = connection_id(db)

    def kill():
        with sandbox.server.root() as root:
            root.execute(f"KILL CONNECTION {number}")

    return when(lambda: works_on(sandbox.server, number), kill)


def test_a_read_runs_again_and_a_write_does_not(sandbox, scratch):
    notes = []
    with scratch.connect(notes) as db:
        db.execute("CREATE OR REPLACE TABLE counted (n INT)")
        with lost(sandbox, db):
            assert db.query("SELECT :n AS n, SLEEP(:s) AS s", params={"n": "it's", "s": 1})["n"].tolist() == ["it's"]
        assert any("runs again" in note for note in notes)
        with lost(sandbox, db):
            sql = "SELECT seq FROM seq_1_to_3 WHERE seq = :n AND SLEEP(:s) = 0"
            assert db.query(sql, params={"n": 2, "s": 1})["seq"].tolist() == [2]
        with lost(sandbox, db), pytest.raises(ConnectionLostError):
            db.execute("INSERT INTO counted SELECT :n + SLEEP(:s)", params={"n": 5, "s": 1})
        assert db.query("SELECT COUNT(*) AS n FROM counted")["n"].tolist() == [0]
        db.execute("DROP TABLE counted")


def test_in_parts(inside):
    assert inside.server.pid
    sql = "SELECT id, country FROM customers WHERE country = :country AND joined_on > :since -- :since"
    params = {"country": "JP", "since": dt.date(2000, 1, 1)}
    with rds_iam_magic.connect("sandbox", user="reader", database="shop") as db:
        whole = db.query(sql, params=params)
        assert len(whole) == 803
        assert len(db.query(sql, params=params, parallel=3)) == 803
        tasks = db.partitions(sql, params=params, n=3)
        assert sum(len(task.read()) for task in tasks) == 803
        assert db.to_dask(sql, params=params, n=2)["id"].nunique().compute(scheduler="synchronous") == 803


KINDS = {
    "number": ("BIGINT", [0, 1, 5, -5, 2**53 + 1, 2**63 - 1, None]),
    "big": ("BIGINT UNSIGNED", [0, 5, 2**64 - 1, 2**63, 2**53 + 1, 1, None]),
    "share": ("DECIMAL(20,5)", ["0.1", "5", "-5", "0.30000", "1.5", "99999.99999", None]),
    "ratio": ("DOUBLE", [0.1, 5.0, -5.0, 0.30000000000000004, 1e22, 0.0, None]),
    "small": ("FLOAT", [0.1, 5.0, -5.0, 0.3, 1e22, 0.0, None]),
    "name": ("VARCHAR(40)", ["5", "05", "a", "A ", "é", "2024-05-01", None]),
    "data": ("VARBINARY(40)", ["5", "05", "a", "A ", "é", "", None]),
    "day": ("DATE", ["2024-05-01", "2024-05-02", "0001-01-01", "9999-12-31", "2005-01-01", "2000-01-01", None]),
    "moment": ("DATETIME(6)", [f"2024-05-01 0{hour}:00:00.000001" for hour in range(6)] + [None]),
    "length": ("TIME(6)", ["00:00:05", "-00:00:05", "838:59:59", "10:00:00.000001", "00:00:00", "05:00:00", None]),
    "doc": ("JSON", ['{"a": 5}', "5", '"a"', "[]", "null", '"é"', None]),
    "kind": ("ENUM('a', '5', 'é')", ["a", "5", "é", "a", "5", "é", None]),
    "flags": ("BIT(8)", [0, 5, 53, 97, 255, 1, None]),
}
VALUES = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, 5, -5, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 53, 97, 20240501, 50000])
    | st.sampled_from([0.1, 0.3, 0.30000000000000004, 5.0, -5.0, 1e22, 5e-324, 0.0])
    | st.sampled_from([Decimal(text) for text in ("0.1", "5", "5.00", "-5", "0.3", "99999.99999", "9007199254740993")])
    | st.sampled_from(["5", "05", "5a", "a", "A", "A ", "é", "e", "", "%", "_", "\\", "2024-05-01", "10:00:00.000001"])
    | st.sampled_from([b"5", b"a", b"A ", b"\xc3\xa9", b"", b"\xff", b"\0"])
    | st.sampled_from([dt.date(2024, 5, 1), dt.date(1, 1, 1), dt.datetime.fromisoformat("2024-05-01 01:00:00.000001")])
    | st.sampled_from([dt.timedelta(seconds=5), -dt.timedelta(seconds=5), dt.time(10, 0, 0, 1), dt.timedelta(0)])
)
CONDITIONS = (
    "{c} IN :l", "{c} NOT IN (:l)", "{c} IN (:v)", "({c} = :v OR id <= :w)", "{c} + 1 = :v", "CONCAT({c}, 'a') = :v",
    "COALESCE({c}, 'a') = :v", "{c} = :v AND {c} = :w", "NULLIF({c}, 5) <> :v", "({c}, id) IN ((:v, :w))",
    "CASE id WHEN 1 THEN {c} ELSE 5 END = :v", "id IN (SELECT id FROM others WHERE {c} >= :v)", "name LIKE :v",
    "{c} = :v", "{c} <=> :v", "{c} <> :v", "{c} < :v", "{c} >= :v", "{c} IN (:v, :w)", "{c} BETWEEN :v AND :w",
    "{c} LIKE :v", "NOT {c} = :v", "CONCAT({c}, :v) = :w", "{c} + :v = :w", "COALESCE({c}, :v) = :w",
    "IF({c} = :v, :w, 1)", "GREATEST({c}, :v) = :w", ":v", ":v = :w", "{c} = LEFT(:v, 1)", "HEX(:v) = :w",
)  # fmt: skip


def outcome(db, sql, params):
    """What a query comes to: its rows and types, or its error."""
    try:
        table = db.query_arrow(sql, params=params)
    except StatementError as error:
        return error.code
    except OptionError as error:  # NULL in IN: nothing runs
        return error.cause
    return table.to_pydict(), str(table.schema)


def test_bound_by_the_server_is_as_with_literals(scratch):
    """Every kind of value beside every kind of column, in conditions of many forms."""
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in KINDS.items())
    with scratch.connect([]) as db:
        db.execute(f"CREATE TEMPORARY TABLE kinds (id INT PRIMARY KEY, {columns}, KEY (number), KEY (name), KEY (day))")
        db.execute("CREATE TEMPORARY TABLE others LIKE kinds")
        rows = [
            (number, *row) for number, row in enumerate(zip(*(values for _, values in KINDS.values()), strict=True))
        ]
        for table in ("kinds", "others"):
            db.execute(f"INSERT INTO {table} VALUES :rows", params={"rows": rows})

        @settings(max_examples=settings.default.max_examples * 3)
        @given(st.sampled_from(list(KINDS)), st.sampled_from(CONDITIONS), VALUES, VALUES)
        def check(column, condition, value, other):
            sql = f"SELECT id, {column} FROM kinds WHERE {condition.format(c=column)}"
            seen = []
            for by_server in (True, False):
                db._session._session.executes_last = by_server  # else in two steps, with literals
                seen.append(outcome(db, sql, {"v": value, "w": other, "l": [value, other]}))
            assert seen[0] == seen[1]

        check()


def test_a_value_is_not_a_part_of_what_is_prepared(scratch, monkeypatch):
    sent = []
    prepare = ServerSession.prepare
    monkeypatch.setattr(
        ServerSession,
        "prepare",
        lambda self, sql, *rest, **named: sent.append(sql) or prepare(self, sql, *rest, **named),
    )
    sql = "SELECT seq FROM seq_1_to_9 WHERE seq IN :ids AND '' <> :text"
    with scratch.connect([]) as db:
        for text in ("it's", "x" * 9000):  # too long for one record of TLS
            assert db.query(sql, params={"ids": [5, 7], "text": text})["seq"].tolist() == [5, 7]
    assert sent[0] == b"SELECT seq FROM seq_1_to_9 WHERE seq IN (?, ?) AND '' <> ?"
    assert sent[1].startswith(b"SELECT seq FROM seq_1_to_9 WHERE seq IN (5, 7) AND '' <> 'xxx")


@pytest.mark.parametrize("compress", ["off", "zlib"])
def test_nothing_stays_prepared(inside, compress):
    sql = "SELECT id FROM orders WHERE id IN :ids AND EXP(:power) > 0"
    with rds_iam_magic.connect("sandbox", user="reader", database="shop", compress=compress) as db:
        db.notify = [].append
        for _ in range(3):
            assert db.query(sql, params={"ids": [1, 2], "power": 1})["id"].tolist() == [1, 2]
            assert len(db.query("SELECT id FROM orders WHERE id > :n", params={"n": 5}, limit=3)) == 3
            for wrong in ({"ids": [1], "power": 1000}, {"ids": [1], "power": 10**30}):
                with pytest.raises(StatementError, match="1690"):
                    db.query(sql, params=wrong)
            with pytest.raises(StatementError, match="1054"):
                db.query("SELECT nothing FROM orders WHERE id = :n", params={"n": 1})
        with inside.server.root() as root:
            root.execute("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'")
            assert root.fetchone()[1] == "0"


PLACES = [
    ("SELECT seq FROM seq_1_to_9 LIMIT :one OFFSET :two", 3),
    ("SELECT seq FROM seq_1_to_9 LIMIT :two, :one", 3),
    ("SELECT seq FROM seq_1_to_9 ORDER BY :one DESC LIMIT :one", 9),
    ("SELECT SUM(seq) FROM seq_1_to_9 GROUP BY seq + :one HAVING MIN(seq) > :two LIMIT 1", 3),
    ("SELECT DATE '2024-05-01' + INTERVAL :two DAY > DATE :day", 1),
    ("SELECT DATE(:day) = :day AND YEAR(:day) = 2024", 1),
    ("SELECT JSON_VALUE(:doc, :path)", "it's"),
    ("SELECT 'a_b' LIKE :pattern ESCAPE '|'", 1),
    ("SELECT 'a%b' LIKE CONCAT(:slash, '%') ESCAPE :slash", 0),
    ("SELECT :text REGEXP :regex", 1),
    ("SELECT CASE :one WHEN :two THEN 'a' WHEN :one THEN :text ELSE 'b' END", "it's"),
    ("SELECT GROUP_CONCAT(seq SEPARATOR :empty) FROM seq_1_to_3", "123"),
    ("SELECT GROUP_CONCAT(seq SEPARATOR :slash) FROM seq_1_to_3", "1\\2\\3"),
    ("SELECT GROUP_CONCAT(seq SEPARATOR :quote) FROM seq_1_to_3", "1'2'3"),
    ("WITH w (a) AS (SELECT :text) SELECT a FROM w WHERE a = :text", "it's"),
    ("SELECT FIELD(5, :list)", 2),
    ("SELECT :one IN (:list, (SELECT :two)) OR 0", 0),
    ("VALUES (:text)", "it's"),
    ("SET @a = :text; SELECT @a", "it's"),
    ("SET @a := :one; SELECT @b:=@a+:two", 3),
    ("CREATE TEMPORARY TABLE a (n INT DEFAULT :two COMMENT :slash, t TEXT DEFAULT :text); INSERT INTO a () VALUES ();"
     "SELECT CONCAT(n, t) FROM a", "2it's"),
    ("CREATE TEMPORARY TABLE b (n INT PRIMARY KEY, t TEXT); INSERT INTO b VALUES (:one, :text), (:two, :slash)"
     " ON DUPLICATE KEY UPDATE t = :quote; REPLACE INTO b VALUES (:two, :text); UPDATE b SET t = :day WHERE n = :one;"
     "DELETE FROM b WHERE t = :text; SELECT t FROM b", "2024-05-01"),
    ("EXECUTE IMMEDIATE 'SELECT ?' USING :text", "it's"),
    ("EXECUTE IMMEDIATE :sql", 41),
    ("BEGIN NOT ATOMIC DECLARE n INT DEFAULT :one; tag: LOOP SET n = n + :two; LEAVE tag; END LOOP; SELECT n; END", 3),
    ("SHOW VARIABLES LIKE :name", "sql_mode"),
    ("SHOW VARIABLES WHERE Variable_name IN :names", "sql_mode"),
    ("SET STATEMENT sort_buffer_size = :big FOR SELECT @@sort_buffer_size", 100_000),
    ("EXPLAIN SELECT :text", 1),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), PLACES, ids=[sql[:50] for sql, _ in PLACES])
def test_each_place(db, sql, expected):
    values = {
        "one": 1, "two": 2, "day": dt.date(2024, 5, 1), "doc": """{"a": "it's"}""", "path": "$.a", "pattern": "a|_b",
        "slash": "\\", "quote": "'", "empty": "", "text": "it's", "regex": r"\bs$", "list": [4, 5], "big": 100_000,
        "sql": "SELECT 41", "name": r"sql\_mode", "names": ("sql_mode",),
    }  # fmt: skip
    assert db.query(sql, params=values).iloc[0, 0] == expected


def test_a_default_text_is_kept_whole(db):
    """As COMMENT shows it, which has a string in quotes only."""
    db.execute("CREATE TEMPORARY TABLE c (n INT COMMENT :text)", params={"text": "a\\'b"})
    db.execute("CREATE TEMPORARY TABLE d (n INT) COMMENT = :text", params={"text": ""})
    assert db.query("SHOW FULL COLUMNS FROM c")["Comment"].tolist() == ["a\\'b"]


def test_a_backslash_where_no_expression_can_stand(db):
    """The server takes the text there, whatever way it is written, and reads what was meant."""
    db.execute(r"CREATE OR REPLACE TABLE a_b (t TEXT) COMMENT :text", params={"text": "C:\\ it's"})
    db.execute("INSERT INTO a_b VALUES ('x'), ('y')")
    for separator in ("", "\\", "é\\'", ","):
        sql = "SELECT GROUP_CONCAT(t ORDER BY t SEPARATOR :by) AS t FROM a_b"
        assert db.query(sql, params={"by": separator})["t"].tolist() == [f"x{separator}y"]
    assert db.query("SHOW TABLE STATUS LIKE :name", params={"name": r"a\_b"})["Comment"].tolist() == ["C:\\ it's"]
    db.execute("DROP TABLE a_b")


@pytest.mark.parametrize("empty", ["", b""])
def test_an_empty_text_is_no_null(db, empty):
    """MariaDB makes one of it under this mode, of a parameter as of `''`."""
    db.execute("SET sql_mode = 'EMPTY_STRING_IS_NULL'")
    sql = "SELECT seq FROM seq_1_to_2 WHERE LENGTH(:x) = 0"
    assert db.query(sql, params={"x": empty})["seq"].tolist() == [1, 2]


@pytest.mark.parametrize(("low", "high"), [("a", 5), (b"a", True), ("a%", Decimal("0.1")), ("x", 1e300)])
def test_a_text_and_a_number_in_one_between(db, low, high):
    """As two parameters, MariaDB compares them with an indexed text in another way than as literals."""
    db.execute("CREATE TEMPORARY TABLE texts (t VARCHAR(30), KEY (t)) SELECT 'a' AS t UNION ALL SELECT 'é'")
    db.execute("INSERT INTO texts VALUES ('%'), ('5'), ('A'), (NULL), ('0.1')")
    sql = "SELECT COUNT(t) AS n FROM texts WHERE t BETWEEN :low AND :high"
    params = {"low": low, "high": high}
    seen = [db.query(sql, params=params)["n"].tolist()]
    db._session._session.executes_last = False  # literals
    assert seen == [db.query(sql, params=params)["n"].tolist()]


@pytest.mark.parametrize(
    "condition", ["(f > 0) IS :yes", "f > 0 AND CAST(f AS DECIMAL(:digits,2)) > 0", "d = DATE :day"]
)
def test_where_no_parameter_can_stand_rows_are_as_exact(db, notes, condition):
    """The server refuses the `?`; the rows come in the binary protocol all the same, where a FLOAT is not rounded."""
    db.execute("CREATE TEMPORARY TABLE exact (f FLOAT, d DATE)")
    db.execute("INSERT INTO exact VALUES (0.1, '2024-05-01')")
    params = {"yes": True, "digits": 5, "day": dt.date(2024, 5, 1)}
    for _ in range(2):
        frame = db.query(f"SELECT f FROM exact WHERE {condition}", params=params)
        assert frame["f"].tolist() == [0.10000000149011612]
    assert notes == []
    with pytest.raises(StatementError, match="SQL syntax"):
        db.query("SELECT f FROM exact WHERE f WHERE :yes", params=params)
    assert db.query("SHOW SESSION STATUS LIKE 'Prepared_stmt_count'")["Value"].tolist() in ([], ["0"])


@pytest.mark.parametrize("sql", ["SELECT * FROM seq_1_to_9 WHERE seq = :c", "SELECT 1 AS a LIMIT :c", "SELECT :c"])
def test_a_parameter_without_params_is_told(db, sql):
    """The server's own message says only that there is an error."""
    with pytest.raises(StatementError, match="1064") as caught:
        db.query(sql)
    assert caught.value.cause == "sql-syntax"
    assert caught.value.hint.startswith('If :c is a parameter, give params={"NAME": VALUE}. Check the SQL')
