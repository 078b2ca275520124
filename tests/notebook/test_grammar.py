"""How a magic line is read: what was written comes back, whatever the form and the order; the rest byte for byte."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammar import Grammar, Option, near, number, one_of, unquote, whole, without_comments
from rds_iam_magic.option import OptionInfo

GRAMMAR = Grammar(
    "%fry",
    ("[options] EGG…",),
    "Fry eggs.",
    (
        Option("oil", OptionInfo("Kind of oil.", default="olive", metavar="KIND", short="o"), aliases=("fat",)),
        Option("pan-size", OptionInfo("Centimetres.", variable="PAN", default_text="what is clean", metavar="CM")),
        Option("spice", OptionInfo("A spice; can be given several times.", metavar="SPICE"), many=True),
        Option("turn", OptionInfo("Turn them `once`.", short="t")),
    ),
)
OTHER = Grammar("%boil", ("EGG…",), "Boil eggs.", (Option("minutes", OptionInfo("How long.", metavar="M")),))

PLAIN = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)
QUOTABLE = st.text(st.characters(exclude_characters="\"'", exclude_categories=("C", "Z")), min_size=1, max_size=8)


@st.composite
def written_values(draw):
    """A value, and it as written: bare, or within quotes with what only quotes can hold."""
    if draw(st.booleans()):
        value = draw(PLAIN)
        return value, value
    value = f"{draw(QUOTABLE)} {draw(QUOTABLE)}"
    quote = draw(st.sampled_from("\"'"))
    return value, f"{quote}{value}{quote}"


FORMS = {
    "oil": ["--oil {}", "--oil={}", "-o {}", "-o{}", "--fat {}", "--OIL {}"],
    "pan_size": ["--pan-size {}", "--pan_size={}"],
    "spice": ["--spice {}", "--spice={}"],
    "turn": ["-t", "--turn"],
    "word": ["{}"],
}


@st.composite
def lines(draw, most_words):
    """A line as it is written, and its parts in their order: (key, value)."""
    counts = {"oil": 1, "pan_size": 1, "spice": 3, "turn": 2, "word": most_words}
    keys = draw(st.permutations([key for key, most in counts.items() for _ in range(draw(st.integers(0, most)))]))
    parts, texts = [], []
    for key in keys:
        value, written = draw(written_values())
        parts.append((key, value))
        texts.append(draw(st.sampled_from(FORMS[key])).format(written))
    return draw(st.sampled_from([" ", "  ", "\t"])).join(texts), parts


def assert_holds(line, parts):
    assert line.values == {key: value for key, value in parts if key in {"oil", "pan_size"}}
    assert line.lists.get("spice", []) == [value for key, value in parts if key == "spice"]
    assert line.flags == {key for key, _ in parts if key == "turn"}
    assert line.words == [value for key, value in parts if key == "word"]


@given(lines(most_words=3))
def test_what_is_written_comes_back(case):
    text, parts = case
    line = GRAMMAR.parse(text)
    assert_holds(line, parts)
    assert line.rest == ""


@given(lines(most_words=0), st.text(max_size=40))
def test_the_rest_is_kept_as_written(case, tail):
    text, parts = case
    line = GRAMMAR.parse(f"{text} SELECT {tail}", words_end_options=True)
    assert_holds(line, parts)
    assert line.rest == f"SELECT {tail}".strip()


@given(st.text(max_size=40))
def test_any_line_is_parsed_or_an_option_error(text):
    for words_end_options in (False, True):
        with suppress(OptionError):
            GRAMMAR.parse(text, words_end_options=words_end_options)


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("--pan-siz 9", "%fry has no option --pan-siz", "Did you mean --pan-size?"),
        ("--minutes 4", "%fry has no option --minutes", "an option of %boil"),
        ("-xSECRET", "%fry has no option -x.", "See %fry --help"),
        ("--password hunter2", "no option --password", "There is no password"),
        ("--turn=1", "--turn takes no value", ""),
        ("-t1", "no option -t", ""),
        ("--oil", "--oil needs a value: -o, --oil KIND", ""),
        ("--oil --turn", "--oil needs a value", ""),
        ("--oil ''", "The value of --oil is empty", ""),
        ("--oil a --fat b", "--oil is given twice", ""),
        ("--oil 'a", "A quotation mark on the line is not closed", ""),
    ],
)
def test_what_is_refused(line, message, hint):
    with pytest.raises(OptionError) as caught:
        GRAMMAR.parse(line, others=(GRAMMAR, OTHER))
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "SECRET" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_minus_signs_that_are_no_options():
    assert GRAMMAR.parse("- -1 --oil -1").words == ["-", "-1"]
    assert GRAMMAR.parse("--oil -1").values == {"oil": "-1"}


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("a -- b", "a"),
        ("a # b", "a"),
        ("a#b", "a#b"),
        ("a /* b */ c", "a c"),
        ("a /* b", "a"),
        ("a '-- b' c", "a '-- b' c"),
        ("a --b", "a --b"),
        ("a 'b", "a 'b"),
    ],
)
def test_comments(line, kept):
    assert without_comments(line).split() == kept.split()


def test_help():
    assert GRAMMAR.help().splitlines() == [
        "Fry eggs.",
        "",
        "Usage:",
        "  %fry [options] EGG…",
        "",
        "Options:",
        "  -o, --oil KIND          Kind of oil. Default: olive.",
        "  --pan-size CM           Centimetres. Default: the variable PAN, else what is clean.",
        "  --spice SPICE           A spice; can be given several times.",
        "  -t, --turn              Turn them once.",
        "  -h, --help              Show this text.",
    ]


def test_values():
    assert (unquote("a\"b c\"'d'"), near("Turm", ["oil", "turn"]), near("zzz", ["oil"])) == ("ab cd", "turn", "")
    assert (number(None, "x"), number("2.5", "x"), whole(None, "x"), whole("7", "x")) == (None, 2.5, None, 7)
    assert one_of("a", "x", ("a", "b")) == "a"
    for refused in ("0", "-1", "nan", "inf", "a"):
        with pytest.raises(OptionError, match="not a number greater than 0"):
            number(refused, "x")
    for refused in ("0", "-1", "1.5", "²", "8"):
        with pytest.raises(OptionError, match="not a whole number \\(1 to 7\\)"):
            whole(refused, "x", most=7)
    with pytest.raises(OptionError, match="Use one of: a, b"):
        one_of("c", "x", ("a", "b"))
