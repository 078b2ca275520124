"""The server's errors by their numbers, and by the option that forbids a statement."""

import pytest

from rds_iam_magic.errors import StatementError
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


RUNS_WITH = "The {} server is running with the {} option so it cannot execute this statement"


@pytest.mark.parametrize("server", ["MySQL", "MariaDB"])
@pytest.mark.parametrize(
    ("option", "read_only", "hint"),
    [
        ("--read-only", True, "connect to the writer"),
        ("--read-only=NO_LOCK_NO_ADMIN", True, "connect to the writer"),
        ("--super-read-only", True, "connect to the writer"),
        ("--super_read_only", True, "connect to the writer"),
        ("--innodb-read-only", True, "connect to the writer"),
        ("--secure-file-priv", False, "secure_file_priv"),
        ("--skip-grant-tables", False, "administrator"),
        ("--event-scheduler=DISABLED or --skip-grant-tables", False, "event_scheduler"),
        ("--skip-networking", False, "network"),
        ("--local-infile=0", False, "LOAD DATA LOCAL"),
        ("--something-new", False, "administrator"),
    ],
)
def test_the_option_that_forbids_a_statement_is_told_apart(server, option, read_only, hint):
    event = ServerError(1290, "HY000", RUNS_WITH.format(server, option))
    assert is_read_only(event) is read_only
    error_of_statement = statement_error(event, 1, 1)
    assert hint in error_of_statement.hint
    assert (error_of_statement.cause == "server-read-only") is read_only


def test_other_read_only_errors():
    assert is_read_only(ServerError(1836, "HY000", "Running in read-only mode"))
    assert is_read_only(ServerError(1874, "HY000", "InnoDB is in read only mode."))
    assert not is_read_only(ServerError(1792, "HY000", "Cannot execute statement in a READ ONLY transaction."))
    assert not is_read_only(ServerError(1290, "HY000", "translated beyond recognition"))
