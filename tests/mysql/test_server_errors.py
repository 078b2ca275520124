"""The server's errors as hints: by the option that forbids, by the nearest name."""

import pytest

from rds_iam_magic.errors import StatementError
from rds_iam_magic.mysql.nearest_name import not_found
from rds_iam_magic.mysql.server_errors import is_read_only, statement_error
from rds_iam_magic.mysql.wire.events import ServerError

FORBIDS = "The MySQL server is running with the {} option so it cannot execute this statement"


@pytest.mark.parametrize(
    ("option", "words", "read_only"),
    [
        ("--read-only", "connect to the writer", True),
        ("--read_only", "connect to the writer", True),
        ("--super-read-only", "connect to the writer", True),
        ("--innodb-read-only", "connect to the writer", True),
        ("--secure-file-priv", "secure_file_priv", False),
        ("--skip-grant-tables", "privilege tables", False),
        ("--something-new", "administrator", False),
    ],
)
def test_what_forbids_a_statement(option, words, read_only):
    event = ServerError(1290, "HY000", FORBIDS.format(option))
    assert is_read_only(event) == read_only
    assert words in statement_error(event, 1, 1).hint


def test_files_of_the_server_are_not_a_matter_of_the_writer(sandbox, db):
    """INTO OUTFILE with secure_file_priv; the tester has no FILE privilege, so that is given for once."""
    with sandbox.server.root() as root:
        root.execute("GRANT FILE ON *.* TO 'tester'@'%'")
    try:
        with pytest.raises(StatementError) as caught:
            db.execute("SELECT 1 INTO OUTFILE '/nowhere/x.txt'")
    finally:
        with sandbox.server.root() as root:
            root.execute("REVOKE FILE ON *.* FROM 'tester'@'%'")
    assert "writer" not in caught.value.hint


@pytest.mark.parametrize(
    ("sql", "guess", "message"),
    [
        ("SELECT * FROM ordres", "`orders`", "doesn't exist"),
        ("SELECT * FROM near_.Oders", "`orders`", "doesn't exist"),
        ("SELECT custmer FROM near_.orders", "`customer`", "Unknown column"),
        ("SELECT o.custmer FROM near_.orders AS o JOIN near_.lines l ON 1 = 1", "`customer`", "Unknown column"),
        ("SELECT * FROM near_.orders WHERE plcaed_at > 1", "`placed_at`", "Unknown column"),
    ],
)
def test_the_nearest_name_is_offered(sandbox, scratch, notes, sql, guess, message):
    with sandbox.server.root() as root:
        root.execute("CREATE DATABASE IF NOT EXISTS near_")
        root.execute("GRANT ALL ON near_.* TO 'tester'@'%'")
        root.execute("CREATE OR REPLACE TABLE near_.orders (id INT, customer TEXT, placed_at DATE)")
        root.execute("CREATE OR REPLACE TABLE near_.lines (id INT, quantity INT)")
    with scratch.connect(notes) as db:
        db.execute("USE near_")
        with pytest.raises(StatementError) as caught:
            db.query(sql)
        assert caught.value.hint.startswith(f"Did you mean {guess}?")
        assert message in db.query("SHOW ERRORS").loc[0, "Message"], "the guess has left the server's errors alone"
        with pytest.raises(StatementError) as caught:
            db.query("SELECT zzzzzzz FROM orders")
        assert "Did you mean" not in caught.value.hint
    with sandbox.server.root() as root:
        root.execute("DROP DATABASE near_")


@pytest.mark.parametrize("message", ["", "Unknown column", "''", "Table 'x", "'a.b.c.d'"])
@pytest.mark.parametrize("code", [1054, 1146, 1305, 1049, 1])
def test_messages_of_another_shape(code, message):
    not_found(ServerError(code, "", message))
