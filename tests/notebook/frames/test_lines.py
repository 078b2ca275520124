"""The options that write frames."""

import pytest

from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.frames.lines import LoadLine, frames_of, parse_load, queries_of
from rds_iam_magic.notebook.options import parse_sql


@pytest.mark.parametrize(
    ("line", "alias", "load"),
    [
        ("--persist df", None, LoadLine("df", "`df`", "fail")),
        ("--persist df orders", None, LoadLine("df", "orders", "fail")),
        ("--persist df prod", None, LoadLine("df", "prod", "fail")),
        ("prod --persist df shop.orders", "prod", LoadLine("df", "shop.orders", "fail")),
        ("-A prod --persist df", "prod", LoadLine("df", "`df`", "fail")),
        ("--append df `odd name` -q", None, None),
        ("-q --append df `odd name`", None, LoadLine("df", "`odd name`", "append")),
        ("--persist-replace df --no-index", None, LoadLine("df", "`df`", "replace", index=False)),
        ("--no-index prod --persist_replace df", "prod", LoadLine("df", "`df`", "replace", index=False)),
    ],
)
def test_a_frame_to_write(line, alias, load):
    if load is None:
        with pytest.raises(OptionError, match="unexpected '-q'"):
            parse_sql(line, None, ["prod"])
        return
    parsed = parse_sql(line, None, ["prod"])
    assert (parsed.alias, parsed.load) == (alias, load)


@pytest.mark.parametrize(
    ("line", "body", "message"),
    [
        ("--persist df --append df", None, "--append does not go with it"),
        ("--persist df --limit 3", None, "--limit does not go with it"),
        ("--persist df --with a=b", None, "--with does not go with it"),
        ("--persist df", "SELECT 1", "would not run"),
        ("--persist df a b", None, "unexpected 'b'"),
        ("--persist", None, "--persist needs a value"),
        ("--no-index SELECT 1", None, "--no-index needs --persist"),
    ],
)
def test_what_does_not_go_together(line, body, message):
    with pytest.raises(OptionError, match=message):
        parse_sql(line, body, [])


def test_frames_to_join_with():
    parsed = parse_sql("--with a=df -w b=other", "SELECT 1", [])
    assert (parsed.frames, parsed.sql) == ({"a": "df", "b": "other"}, "SELECT 1")
    parsed = parse_sql("-w a=df x << --with b=c", "SELECT 1", [])
    assert parsed.frames == {"a": "df", "b": "c"}
    with pytest.raises(OptionError, match="other sessions"):
        parse_sql("-w a=df --parallel 2", "SELECT 1", [])
    for text in ("=", "=df", "a="):
        with pytest.raises(OptionError, match="is not NAME=DF"):
            frames_of([text])
    with pytest.raises(OptionError, match="names a twice"):
        frames_of(["a=x", "a=y"])


def test_saved_queries_to_read_from():
    parsed = parse_sql("--with top -w a=df x << --with other", "SELECT 1", [])
    assert (parsed.queries, parsed.frames) == (("top", "other"), {"a": "df"})
    with pytest.raises(OptionError, match="names top twice"):
        queries_of(["top", "a=df", "top"])


@pytest.mark.parametrize(
    ("line", "load"),
    [
        ("df", LoadLine("df", "`df`", "fail")),
        ("df orders;", LoadLine("df", "orders", "fail")),
        ("df `odd name` --append", LoadLine("df", "`odd name`", "append")),
        ("--replace df shop.orders --no-index", LoadLine("df", "shop.orders", "replace", index=False)),
    ],
)
def test_the_line_of_a_frame(line, load):
    parsed = parse_load(line)
    assert parsed is not None
    assert parsed[1] == load


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "name of a DataFrame is missing"),
        ("df a b", "does not understand 'b'"),
        ("df --append --replace", "--append keeps the table's rows"),
        ("df --persist", "no option --persist"),
        ("df `a", "not closed"),
    ],
)
def test_a_line_that_is_not_understood(line, message):
    with pytest.raises(OptionError, match=message):
        parse_load(line)


def test_help_of_the_line():
    assert parse_load("df --help") is None
