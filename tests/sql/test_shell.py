"""The mysql shell's commands in SQL: understood where that is plain, refused before anything runs otherwise."""

import pytest

from rds_iam_magic.errors import OptionError, StatementError
from rds_iam_magic.sql.statement import split

PROCEDURE = "CREATE PROCEDURE p()\nBEGIN\n  SELECT 1; -- ; //\n  SELECT '//';\nEND"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            f"DROP PROCEDURE IF EXISTS p;\nDELIMITER //\n{PROCEDURE} //\nDELIMITER ;\nCALL p(); SELECT 2",
            ["DROP PROCEDURE IF EXISTS p", PROCEDURE, "CALL p()", "SELECT 2"],
        ),
        (f"  delimiter\t$$\r\n{PROCEDURE}$$\r\n  Delimiter ;\r\nSELECT 2", [PROCEDURE, "SELECT 2"]),
        ("SELECT 1; DELIMITER ;;\nSELECT 2;;SELECT 3;;", ["SELECT 1", "SELECT 2", "SELECT 3"]),
        ("DELIMITER '//'\nSELECT 1; SELECT 2 // SELECT 3", ["SELECT 1; SELECT 2", "SELECT 3"]),
        ("DELIMITER // -- from now on\nSELECT 1//", ["SELECT 1"]),
        ("DELIMITER GO\nSELECT 1 GO\nSELECT 'GO' GO", ["SELECT 1", "SELECT 'GO'"]),
        (f"DELIMITER //\n{PROCEDURE}\nDELIMITER ;\nSELECT 2", [PROCEDURE, "SELECT 2"]),
        (f"SELECT 1\nDELIMITER //\n{PROCEDURE}//", ["SELECT 1", PROCEDURE]),
        ("DELIMITER //\n", []),
        ("DELIMITER //\nSELECT 1 \\G SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT a,\n  delimiter\nFROM t;\nSELECT delimiter ;", ["SELECT a,\n  delimiter\nFROM t", "SELECT delimiter"]),
        ("SELECT 1\\G", ["SELECT 1"]),
        ("SELECT 1\\G\nSELECT '\\G' \\g SELECT `\\G` -- \\q\n", ["SELECT 1", "SELECT '\\G'", "SELECT `\\G` -- \\q"]),
        (f"{PROCEDURE}\\G SELECT 2", [PROCEDURE, "SELECT 2"]),
        ("SELECT 1;\\G", ["SELECT 1"]),
        ("SELECT \\N, 1", ["SELECT \\N, 1"]),
        ("USE shop\nSELECT 1", ["USE shop", "SELECT 1"]),
        ("use `my shop`  -- here\r\n\nSELECT 1; USE b\nDO 2", ["use `my shop`", "SELECT 1", "USE b", "DO 2"]),
        ("-- first\nUSE shop\nSELECT 1", ["-- first\nUSE shop", "SELECT 1"]),
        ("USE shop\n;SELECT 1", ["USE shop", "SELECT 1"]),
        ("USE shop", ["USE shop"]),
        ("DELIMITER //\nUSE shop\nSELECT 1//", ["USE shop", "SELECT 1"]),
        ("SELECT source, system, help, quit\nFROM tee", ["SELECT source, system, help, quit\nFROM tee"]),
        ("SELECT a\nstatus FROM t", ["SELECT a\nstatus FROM t"]),
        ("HELP 'SELECT'", ["HELP 'SELECT'"]),
        ("quit: LOOP LEAVE quit; END LOOP", ["quit: LOOP LEAVE quit; END LOOP"]),
        ("-- quit\nSELECT 1 # \\q", ["-- quit\nSELECT 1 # \\q"]),
        ("/* source x.sql */ SELECT 'a\\\\' /* \\! ls */", ["/* source x.sql */ SELECT 'a\\\\' /* \\! ls */"]),
    ],
)  # fmt: skip
def test_understood(sql, expected):
    assert [s.text for s in split(sql)] == expected


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("source f.sql", "the file's SQL"),
        ("\\. f.sql", "the file's SQL"),
        ("quit", "Remove it"),
        ("EXIT", "Remove it"),
        ("\\q", "Remove it"),
        ("\\c", "Remove it"),
        ("\\u shop", "USE"),
        ("\\d //", "DELIMITER"),
        ("\\s", "SHOW STATUS"),
        ("status", "SHOW STATUS"),
        ("\\! ls", "!command"),
        ("system ls", "!command"),
        ("tee out.txt", "write()"),
        ("pager less", "write()"),
        ("go", "`;`"),
        ("help", "HELP 'topic'"),
        ("? select", "HELP 'topic'"),
        ("\\h", "HELP 'topic'"),
        ("charset latin1", "UTF-8"),
        ("connect shop", "rds_iam_magic.connect("),
        ("warnings", "SHOW WARNINGS"),
    ],
)
@pytest.mark.parametrize("around", ["{}", "DROP TABLE t;\n{}\n", "DROP TABLE t; {} ;", "DELIMITER //\nDO 1//\n{}"])
def test_refused(command, hint, around):
    with pytest.raises(OptionError, match=r"mysql shell, not SQL; nothing was run") as caught:
        split(around.format(command))
    assert hint in caught.value.hint
    assert caught.value.message.startswith(command.split()[0])


@pytest.mark.parametrize(
    "sql",
    [
        "DELIMITER",
        "DELIMITER \n//",
        "DELIMITER \\\\\nSELECT 1",
        "SELECT 1; DELIMITER // CREATE PROCEDURE p() SELECT 1 //",
        "SELECT \\x FROM t",
        "LOAD DATA INFILE C:\\temp INTO TABLE t",
        "SELECT 1 \\",
        "USE my-shop\nSELECT 1",
    ],
)
def test_refused_for_its_form(sql):
    with pytest.raises(OptionError, match="nothing was run"):
        split(sql)


@pytest.mark.parametrize(
    ("sql", "where"),
    [("SELECT '\ud800'", "line 1, column 9"), ("SELECT 1;\nSELECT 'é', '\udfff'", "line 2, column 14")],
)
def test_a_lone_surrogate_is_refused(sql, where):
    with pytest.raises(OptionError, match=where) as caught:
        split(sql)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    str(caught.value).encode()  # can be shown


def test_a_script_of_the_shell_runs(db):
    db.execute(f"DROP PROCEDURE IF EXISTS p;\nDELIMITER //\n{PROCEDURE} //\nDELIMITER ;")
    assert db.query("CALL p()\\G").iloc[0, 0] == "//"
    db.execute("USE information_schema\nSELECT 1; USE scratch\nDROP PROCEDURE p")
    assert db.query("SELECT DATABASE() AS d")["d"].tolist() == ["scratch"]


@pytest.mark.parametrize("bad", ["quit", "SELECT 1 \\q", "DELIMITER", "SELECT '\ud800'"])
def test_nothing_runs_before_a_refusal(db, bad):
    db.execute("CREATE OR REPLACE TABLE kept (a INT)")
    with pytest.raises(OptionError):
        db.execute(f"DROP TABLE kept; {bad}")
    assert len(db.query("SELECT * FROM kept")) == 0
    db.execute("DROP TABLE kept")
    with pytest.raises(StatementError):
        db.query("SELECT * FROM kept")
