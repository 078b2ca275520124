"""The lexer: where statements begin and end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.database.lexer import tokenize
from rds_iam_magic.database.statement import split
from rds_iam_magic.errors import OptionError


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;", ["SELECT 1"]),
        ("SELECT 1; -- done;\n", ["SELECT 1"]),
        ("SELECT ';'; SELECT \";\"; SELECT `;`", ["SELECT ';'", 'SELECT ";"', "SELECT `;`"]),
        ("SELECT 'it''s;'; SELECT 'it\\'s;'", ["SELECT 'it''s;'", "SELECT 'it\\'s;'"]),
        ("SELECT 1 /* ; */ + 1; # ;\nSELECT 2", ["SELECT 1 /* ; */ + 1", "# ;\nSELECT 2"]),
        ("SELECT 1--1; SELECT 2", ["SELECT 1--1", "SELECT 2"]),  # `--` needs white space to be a comment
        ("/*!50000 SELECT 1; */", ["/*!50000 SELECT 1; */"]),
        ("SELECT /*+ NO_INDEX(t) */ 1;;;", ["SELECT /*+ NO_INDEX(t) */ 1"]),
        ("", []),
        (" ; ;\n-- nothing\n/* at all */", []),
        ("BEGIN; UPDATE t SET a = 1; COMMIT", ["BEGIN", "UPDATE t SET a = 1", "COMMIT"]),
        (
            "SELECT 1; CREATE PROCEDURE p() BEGIN SELECT 1; END; SELECT 2",
            ["SELECT 1", "CREATE PROCEDURE p() BEGIN SELECT 1; END; SELECT 2"],
        ),
        ("SELECT '未;閉", ["SELECT '未;閉"]),
    ],
)
def test_split(sql, expected):
    assert [s.text for s in split(sql)] == expected


def test_no_backslash_escapes():
    sql = r"SELECT '\'; SELECT 2"
    assert len(split(sql)) == 1
    assert [s.text for s in split(sql, backslash_escapes=False)] == [r"SELECT '\'", "SELECT 2"]


SQLISH = st.text(alphabet=st.sampled_from("ab1 '\"`;\\-#/*!@:=\n(é"), max_size=60)


@given(SQLISH, st.booleans())
def test_tokens_are_parts_of_the_text_in_order(sql, escapes):
    end = 0
    for token in tokenize(sql, backslash_escapes=escapes):
        assert token.start >= end
        assert sql[token.start : token.end] == token.text != ""
        end = token.end


@given(SQLISH, st.booleans())
def test_statements_are_parts_of_the_text_in_order(sql, escapes):
    try:
        statements = split(sql, backslash_escapes=escapes)
    except OptionError:  # a command of the shell's, or a backslash where none can be
        return
    end = 0
    for statement in statements:
        end = sql.index(statement.text, end) + len(statement.text)


@given(
    st.lists(
        st.sampled_from(["SELECT 1", "SELECT 'a;b'", "SELECT `x;`", "DELETE FROM t -- ;\n", "/* ; */ SHOW TABLES"])
    )
)
def test_joined_statements_are_split_again(statements):
    assert [s.text for s in split(";".join(statements))] == [s.strip() for s in statements]


def test_time_is_linear_in_hostile_text():
    for sql in ("'" + "a" * 200_000 + "\\", "/*" + "*" * 200_000, "`" * 200_001, "'" * 200_001):
        assert len(split(sql)) <= 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM t WHERE id IN (" + ",".join(map(str, range(100_000))) + ")",
        "SELECT * FROM t WHERE id IN (" + ", ".join(f"'abc{n}'" for n in range(100_000)) + ")",
        "INSERT INTO t VALUES " + ",\n".join(f"({n}, 'it''s {n}', NULL, -1.5e3)" for n in range(100_000)),
    ],
    ids=["numbers", "strings", "rows"],
)
def test_a_hundred_thousand_literals_are_some_hundred_tokens(sql):
    (statement,) = split(sql)
    assert statement.text == sql
    assert len(statement.tokens) < 2000


DELIMITED = """DROP PROCEDURE IF EXISTS p;
DELIMITER //
CREATE PROCEDURE p() BEGIN SELECT 1; SELECT ';//'; END//
 delimiter ;
CALL p();"""


def test_delimiter():
    assert [s.text for s in split(DELIMITED)] == [
        "DROP PROCEDURE IF EXISTS p",
        "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT ';//'; END",
        "CALL p()",
    ]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1\\G", ["SELECT 1"]),
        ("SELECT 1\\G SELECT 2\\g", ["SELECT 1", "SELECT 2"]),
        ("SELECT '\\\\G'", ["SELECT '\\\\G'"]),
        ("USE shop\nSELECT 1", ["USE shop", "SELECT 1"]),
        ("use `my shop`\n\nSELECT 1", ["use `my shop`", "SELECT 1"]),
        ("SELECT source, system, status FROM quit", ["SELECT source, system, status FROM quit"]),
        ("HELP 'SELECT'", ["HELP 'SELECT'"]),
    ],
)
def test_commands_of_the_shell_that_are_plain(sql, expected):
    assert [s.text for s in split(sql)] == expected


@pytest.mark.parametrize(
    "command",
    ["\\q", "\\. x.sql", "\\c", "\\u shop", "\\s", "\\! ls", "source x.sql", "SOURCE /a/b.sql", "quit", "exit", "tee x",
     "system ls", "status", "pager less", "DELIMITER", "DELIMITER //  SELECT 1", "warnings", "prompt x"],
)  # fmt: skip
def test_other_commands_are_refused_before_anything_runs(command):
    for sql in (command, f"DROP TABLE t; {command}", f"DROP TABLE t;\n{command}\nSELECT 1"):
        with pytest.raises(OptionError, match="nothing was run"):
            split(sql)


def test_a_lone_surrogate_is_refused_with_its_place():
    with pytest.raises(OptionError, match=r"lone surrogate \(\\ud800\) at line 2, column 9"):
        split("SELECT 1;\nSELECT '\ud800'")


@given(
    st.lists(
        st.sampled_from(["SELECT 1; SELECT 2", "CREATE PROCEDURE p() BEGIN SELECT ';'; END", "SELECT '//'", "DO 0"]),
        min_size=1,
    ),
    st.sampled_from(["//", "$$", ";;", "|"]),
)
def test_what_a_delimiter_cuts_is_as_written(statements, delimiter):
    text = f"DELIMITER {delimiter}\n" + f" {delimiter}\n".join(statements) + f"{delimiter}\nDELIMITER ;\nSELECT 3"
    assert [s.text for s in split(text)] == [*statements, "SELECT 3"]
