"""Which column is the key, and which types cannot be one."""

import pytest

from rds_iam_magic.errors import OptionError
from rds_iam_magic.parallel.key import _double, _hex, _number, _temporal


def plan(db, sql, on=None, n=3):
    return db._planner().plan(sql, on, n, "n")


@pytest.fixture
def tables(db):
    db.execute(
        "CREATE OR REPLACE TABLE by_key (a VARCHAR(5), u INT UNIQUE, id INT PRIMARY KEY);"
        "CREATE OR REPLACE TABLE by_unique (a VARCHAR(5) PRIMARY KEY, u BIGINT UNSIGNED NOT NULL UNIQUE);"
        "INSERT INTO by_key VALUES ('x', 5, 1), ('y', 6, 2), ('z', 7, 3);"
        "INSERT INTO by_unique VALUES ('x', 5), ('y', 6), ('z', 18446744073709551615)"
    )
    return db


@pytest.mark.parametrize(
    ("sql", "key"),
    [
        ("SELECT * FROM by_key", "id"),
        ("SELECT a, id + 1 AS b, u FROM by_key", "u"),
        ("SELECT * FROM by_unique", "u"),
        ("SELECT k.* FROM by_key k JOIN by_unique USING (u)", "id"),
        ("SELECT id AS `other name` FROM by_key", "other name"),
    ],
)
def test_the_integer_key_of_the_only_table(tables, sql, key):
    assert f"part.`{key}` <" in plan(tables, sql).parts[0]


@pytest.mark.parametrize(
    ("sql", "on", "cause"),
    [
        ("SELECT a FROM by_key", None, "parts-key-missing"),
        ("SELECT k.id, u.u FROM by_key k, by_unique u", None, "parts-key-missing"),
        ("SELECT 1 AS x", None, "parts-key-missing"),
        ("SELECT * FROM by_key", "nowhere", "parts-key-unknown"),
        ("SELECT k.*, u.* FROM by_key k, by_unique u", "id", "duplicate-columns"),
        ("SELECT id, ID FROM by_key", "id", "duplicate-columns"),
        ("SELECT id, UNIX_TIMESTAMP() - id AS age FROM by_key", "age", "parts-key-unstable"),
        ("SELECT SUM(id / 1e0) AS s FROM by_key GROUP BY a", "s", "parts-key-unstable"),
        ("SELECT HEX(a) AS h FROM by_key GROUP BY a", "h", "parts-key-unstable"),
        ("SELECT POINT(1, 1) AS p", "p", "parts-key-type"),
    ],
)
def test_no_key(tables, sql, on, cause):
    with pytest.raises(OptionError) as caught:
        plan(tables, sql, on)
    assert caught.value.cause == cause
    assert caught.value.hint
    if cause == "parts-key-unknown":
        assert "it has a, u, id." in caught.value.message


@pytest.mark.parametrize("kind", ["UUID", "INET6"])
def test_types_that_are_shown_as_other_bytes_than_are_stored(db, kind):
    value = {"UUID": "123e4567-e89b-12d3-a456-426655440000", "INET6": "::1"}[kind]
    if "MariaDB" not in db.server_version:
        pytest.skip("MariaDB's types")
    db.execute(f"CREATE OR REPLACE TABLE shown (k {kind}); INSERT INTO shown VALUES ('{value}')")
    with pytest.raises(OptionError, match="cannot be divided") as caught:
        plan(db, "SELECT * FROM shown", "k")
    assert caught.value.cause == "parts-key-type"


def test_a_range_reaches_the_index(tables):
    tables.execute("CREATE OR REPLACE TABLE many (id INT PRIMARY KEY, t VARCHAR(9) CHARACTER SET latin1, KEY (t))")
    tables.execute("INSERT INTO many SELECT seq, LPAD(seq, 9, '0') FROM seq_1_to_1000")
    for on in ("id", "t"):
        part = plan(tables, "SELECT * FROM many", on, 50).parts[3]
        explained = tables.query(f"EXPLAIN {part}")
        assert list(explained["type"]) == ["range"]
        assert list(explained["table"]) == ["many"]


def test_values_that_are_none_are_refused():
    for write, text in ((_number, "1 OR 1"), (_double, "x"), (_hex, "'"), (_temporal("DATE"), "'")):
        with pytest.raises(ValueError, match="not "):
            write(text)


def test_names_are_compared_as_the_server_does(tables):
    assert "part.`id` <" in plan(tables, "SELECT * FROM by_key", "ID").parts[0]
