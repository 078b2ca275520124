"""The lexer: where statements begin and end."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import OptionError
from rds_iam_magic.sql.effects import effects_of, identifiers_in
from rds_iam_magic.sql.lexer import tokenize
from rds_iam_magic.sql.statement import split


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
        ("CREATE TABLE event (id INT, begin INT); SELECT 1", ["CREATE TABLE event (id INT, begin INT)", "SELECT 1"]),
        ("l: LOOP SELECT 1; LEAVE l; END LOOP", ["l: LOOP SELECT 1; LEAVE l; END LOOP"]),
        ("SELECT 1;\u00a0", ["SELECT 1"]),
    ],
)
def test_split(sql, expected):
    assert [s.text for s in split(sql)] == expected


def test_no_backslash_escapes():
    sql = r"SELECT '\'; SELECT 2"
    assert len(split(sql)) == 1
    assert [s.text for s in split(sql, backslash_escapes=False)] == [r"SELECT '\'", "SELECT 2"]


SQLISH = st.text(alphabet=st.sampled_from("ab1 '\"`;\\-#/*!@:.=,\n(é"), max_size=60)
PIECES = st.lists(
    st.sampled_from([
        "SELECT 1", " ", "\n", ";", "'a;b'", "`x;`", '"q"', "-- c;\n", "/* ; */", "/*! x; */", "\\G", "\\g", "//", "$$",
        "\nDELIMITER //\n", "\nDELIMITER ;\n", "USE x\n", "BEGIN", "END", "CREATE PROCEDURE p()", "NULL", "1e5", "0x1F",
    ])
).map("".join)  # fmt: skip


def split_or_refused(sql, **how):
    try:
        return split(sql, **how)
    except OptionError:
        return []


@given(SQLISH, st.booleans())
def test_tokens_are_in_order_and_what_is_between_them_is_space_or_comment(sql, escapes):
    comment = re.compile(r"#[^\n]*|--[^\n]*|/\*.*?(\*/|$)", re.DOTALL)
    end = 0
    for token in tokenize(sql, backslash_escapes=escapes):
        assert token.start >= end
        assert sql[token.start : token.end] == token.text
        assert comment.sub("", sql[end : token.start]).strip() == ""
        end = token.end


@given(st.one_of(SQLISH, PIECES), st.booleans())
def test_statements_are_cut_out_of_the_text_as_they_are(sql, escapes):
    end = 0
    for statement in split_or_refused(sql, backslash_escapes=escapes):
        assert statement.text == statement.text.strip()
        end = sql.index(statement.text, end) + len(statement.text)


@given(st.lists(st.sampled_from(["SELECT 1", "a '//' b; c", "x -- //\n y", "/* // */ z; END", "`//` q"]), min_size=1))
def test_a_delimiter_round_trip(statements):
    text = "DELIMITER //\n" + "//\n".join(statements) + " //\nDELIMITER ;\nSELECT 2; SELECT 3"
    assert [s.text for s in split(text)] == [*statements, "SELECT 2", "SELECT 3"]


@given(
    st.lists(
        st.sampled_from(["SELECT 1", "SELECT 'a;b'", "SELECT `x;`", "DELETE FROM t -- ;\n", "/* ; */ SHOW TABLES"])
    )
)
def test_joined_statements_are_split_again(statements):
    assert [s.text for s in split(";".join(statements))] == [s.strip() for s in statements]


@pytest.mark.parametrize(
    "literals",
    [
        ",".join(map(str, range(1, 100_001))),
        ",\n   ".join(map(str, range(1, 100_001))),
        ", ".join(f"'abc{n}'" for n in range(100_000)),
        ", ".join(f'"abc{n}"' for n in range(100_000)),
        ", ".join(f"'it\\'s {n}'" for n in range(100_000)),
        ", ".join(f"(-{n}, 'x', NULL, {n}.5e-3, 0xAB{n})" for n in range(100_000)),
    ],
    ids=["ids", "lines", "texts", "quoted twice", "backslashes", "rows"],
)
def test_literals_take_next_to_no_tokens(literals):
    """What takes the time is the tokens; these lists of 100,000 are there within some hundredths of a second."""
    (statement,) = split(f"SELECT * FROM t WHERE id IN ({literals})")
    assert len(statement.tokens) < 3000
    assert set(statement.words) <= {"SELECT", "FROM", "T", "WHERE", "ID", "IN", "NULL"}
    assert effects_of(statement).only_reads
    assert {"t", "id"} <= identifiers_in(statement)


@pytest.mark.slow
def test_a_long_text_is_one_token():
    for inside in ("x" * 20_000_000, "\\'" * 2_000_000, "''" * 400_000):
        (statement,) = split(f"SELECT '{inside}' FROM t; ")
        assert len(statement.text) == len(inside) + 16
        assert statement.words == ["SELECT", "FROM", "T"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "sql",
    [
        "'" + "a" * 200_000 + "\\", "/*" + "*" * 200_000, "`" * 200_001, "'" * 200_001, "1" * 200_000 + "a",
        "a" + "1" * 200_000, "@'" * 100_001, "@`" * 100_001, "-" * 200_000, "\"'" * 100_001, ":" * 200_000 + "=",
        "CREATE PROCEDURE p() BEGIN " + "a;" * 100_000, "1e" * 100_000, "'\\" * 100_001, ";" * 200_000,
    ],
    ids=range(15),
)  # fmt: skip
@pytest.mark.parametrize("escapes", [True, False])
def test_time_is_linear_in_hostile_text(sql, escapes):
    """Quadratic time would be minutes, past the suite's time limit."""
    assert len(split_or_refused(sql, backslash_escapes=escapes)) <= 1
