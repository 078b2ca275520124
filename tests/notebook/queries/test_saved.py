"""What is kept under names."""

import pytest

from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.options import parse_sql
from rds_iam_magic.notebook.queries.saved import SavedQueries, SavedQuery


def query(sql="SELECT 1", *uses, **frames):
    return SavedQuery(sql, jinja=False, uses=uses, frames=frames)


@pytest.fixture
def saved():
    kept = SavedQueries()
    kept.keep("top", query("SELECT\n  1 AS a", f="df"))
    kept.keep("second", query("SELECT * FROM top", "top"))
    kept.keep("third", query("SELECT * FROM second", "second", g="other"))
    return kept


def test_finding_and_listing(saved):
    assert list(saved) == ["third", "second", "top"]
    assert saved.find("top").sql == "SELECT\n  1 AS a"
    assert saved.frames_of(["third"], {"h": "x"}) == {"f": "df", "g": "other", "h": "x"}
    assert saved.listing().splitlines() == [
        "top     SELECT 1 AS a",
        "second  SELECT * FROM top",
        "third   SELECT * FROM second",
    ]
    saved.keep("long", query("SELECT " + "a, " * 50))
    assert {len(line) <= 88 for line in saved.listing().splitlines()} == {True}
    with pytest.raises(OptionError) as caught:
        saved.find("seconds")
    assert caught.value.hint.startswith("Did you mean second? Saved: long, third, second, top.")
    assert "Save one" in SavedQueries().listing()
    with pytest.raises(OptionError, match="Save one: %%rds_sql --save NAME"):
        SavedQueries().find("x")


def test_one_in_the_place_of_another(saved):
    assert not saved.keep("top", saved.find("top")), "the same again"
    assert saved.keep("top", query("SELECT 2"))
    assert saved.find("top").sql == "SELECT 2"


def test_frames_of_the_same_name(saved):
    saved.keep("fourth", query("SELECT 1", "third", h="df"))
    assert saved.frames_of(["fourth", "top"], {"f": "df"})["h"] == "df"
    saved.keep("top", query("SELECT 1", h="changed"))
    saved.keep("beside", query("SELECT 1", h="changed"))
    for queries, own in ((["fourth"], {}), (["fourth", "beside"], {}), (["top"], {"h": "df"})):
        with pytest.raises(OptionError, match="reads from another frame h"):
            saved.frames_of(queries, own)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("-S 1", "saved-name-invalid"),
        ("-S a.b", "saved-name-invalid"),
        ("-S 'a b'", "saved-name-invalid"),
        ("-S a=df", "saved-name-invalid"),
        ("-S x --no-bind", "invalid-option"),
        ("-S top -w top", "saved-cycle"),
        ("-S top -w third", "saved-cycle"),
        ("-S x -w nothing", "saved-unknown"),
        ("-S été_1", ""),
        ("-S third -w second", ""),
    ],
)
def test_what_cannot_be_saved(saved, line, cause):
    parsed = parse_sql(line, "SELECT 1", [])
    if not cause:
        saved.check(parsed)
        return
    with pytest.raises(OptionError) as caught:
        saved.check(parsed)
    assert caught.value.cause == cause
    if line == "-S top -w third":
        assert "top → third → second → top" in caught.value.message
