"""SQL in files."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.queries.files import line_as_written, line_of, read_sql


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_file_is_read(tmp_path, monkeypatch, mark):
    (tmp_path / "q.sql").write_bytes(mark + "SELECT 'é';\r\n-- x\r\n".encode())
    assert read_sql(str(tmp_path / "q.sql")) == "SELECT 'é';\n-- x\n"
    monkeypatch.chdir(tmp_path)
    assert read_sql("q.sql").startswith("SELECT")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_sql("~/q.sql").startswith("SELECT")


@pytest.mark.parametrize(
    ("name", "message", "hint", "cause"),
    [
        ("reprot.sql", "There is no file reprot.sql.", "Did you mean report.sql?", "sql-file-missing"),
        ("zzz", "There is no file zzz.", "working directory is", "sql-file-missing"),
        ("no/q.sql", "there is no folder no", "", "sql-file-missing"),
        ("mysql://me:pw@host/x", "takes the path of a file; a URL", "", "sql-file-missing"),
        (".", ". is a folder", "It has empty.sql, latin.sql, report.sql", "sql-file-unreadable"),
        ("report.sql/x", "cannot be read: Not a directory", "", "sql-file-unreadable"),
        ("a\0b", "cannot be read", "", "sql-file-unreadable"),
        ("latin.sql", "latin.sql is not UTF-8: line 2 has a byte 0xE9", "", "sql-file-encoding"),
        ("wide.txt", "wide.txt is UTF-16", "Save it as UTF-8", "sql-file-encoding"),
        ("empty.sql", "empty.sql is empty", "", "sql-missing"),
    ],
)
def test_what_cannot_be_read(tmp_path, monkeypatch, name, message, hint, cause):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.sql").write_text("SELECT 1")
    (tmp_path / "latin.sql").write_bytes(b"SELECT 1,\n'\xe9'")
    (tmp_path / "wide.txt").write_bytes("SELECT 1".encode("utf-16"))
    (tmp_path / "empty.sql").write_text("\n")
    with pytest.raises(OptionError) as caught:
        read_sql(name)
    assert (message in caught.value.message, hint in caught.value.hint, caught.value.cause) == (True, True, cause)


def test_the_line_of_a_statement():
    text = "\n-- one\nSELECT 1; SELECT 2;\n\n/* three */\n-- more\nSELECT 3"
    assert [line_of(text, number) for number in (1, 2, 3)] == [(2, 3), (3, 3), (5, 7)]
    assert line_of(text, 4) is None
    assert line_of("DELIMITER //\nSELECT 1; //\nSELECT 2 //", 2) == (3, 3)


@given(st.lists(st.sampled_from(["SELECT 1", "-- c\nSELECT 1", "SELECT\n1"]), min_size=1), st.sampled_from(["\n", " "]))
def test_the_lines_of_many(statements, space):
    text = f";{space}".join(statements)
    lines = text.split("\n")
    for number in range(1, len(statements) + 1):
        assert "SELECT" in lines[line_of(text, number)[1] - 1]


def test_the_line_that_the_server_means():
    text = "SELECT 1;\nSELECT 'a\nb''\nc' AS t, /* d\n */ `x\ny`,\n\"\n\" AS z\nFRM x"
    assert [line_as_written(text, 2, counted) for counted in (1, 2, 3, 4, 9)] == [1, 4, 6, 8, 8]
    assert line_as_written(text, 1, 1) == 1
    assert line_as_written("SELECT\n/*! :x */\n'\n' y", 1, 3) == 3, "not bound: a line may be missed"
