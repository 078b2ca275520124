"""The lexer: where statements begin and end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.database.statement import split, tokenize


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
def test_tokens_joined_are_the_text(sql, escapes):
    assert "".join(t.text for t in tokenize(sql, backslash_escapes=escapes)) == sql


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
