"""The help of each magic: examples that can be typed as they stand, within the columns that front ends show."""

import pytest

from rds_iam_magic.notebook import grammars, options
from rds_iam_magic.notebook.doctor.lines import parse_doctor
from rds_iam_magic.notebook.grammar import WIDTH
from rds_iam_magic.notebook.help.examples import EXAMPLES, shown
from rds_iam_magic.notebook.looking.lines import parse_explain, parse_look
from rds_iam_magic.notebook.plots.lines import parse_plot
from rds_iam_magic.notebook.setup import lines, provision_lines

GRAMMARS = {grammar.magic: grammar for grammar in grammars.GRAMMARS}
PARSE = {
    "rds_iam_connect": lambda line, _: options.parse_connect(line),
    "rds_sql": lambda line, body: options.parse_sql(line, body, ["prod"]),
    "rds_explain": parse_explain,
    "rds_iam_user": lambda line, _: lines.parse_user(line),
    "rds_iam_policy": lambda line, _: lines.parse_policy(line),
    "rds_iam_access": lambda line, _: lines.parse_access(line),
    "rds_iam_provision": lambda line, _: provision_lines.parse_provision(line),
    "rds_iam_enable": lambda line, _: provision_lines.parse_enable(line),
    "rds_iam_doctor": lambda line, _: parse_doctor(line),
    "rds_plot": lambda line, _: parse_plot(line),
}
LOOKING = {
    "%rds_tables": 0,
    "%rds_columns": 1,
    "%rds_preview": 1,
    "%rds_ddl": 1,
    "%rds_profile": 1,
    "%rds_databases": 0,
}


def parsed(magic, code):
    """What a cell's line is read as; that of a line magic may be assigned."""
    line, _, body = code.partition("\n")
    name, _, rest = line[line.index("%") :].lstrip("%").partition(" ")
    assert name == magic.lstrip("%")
    assert bool(body) == line.startswith("%%")
    if name in PARSE:
        return PARSE[name](rest, body or None)
    return parse_look(GRAMMARS[magic], rest, least=LOOKING.get(magic, 1), most=2)


def cells(magic):
    """The examples as they are shown: one line each, or a cell that stands apart."""
    blocks = "\n".join(shown(magic)).split("\n\n")
    return [cell for block in blocks for cell in ([block] if block.startswith("%%") else block.split("\n"))]


@pytest.fixture(autouse=True)
def sections(tmp_path, monkeypatch):
    (tmp_path / "connections.ini").write_text("[prod]\ntarget = my-cluster\nuser = analyst\n")
    monkeypatch.setenv("RDS_IAM_MAGIC_CONNECTIONS", str(tmp_path / "connections.ini"))


@pytest.mark.parametrize("magic", GRAMMARS)
def test_each_example_can_be_typed(magic):
    assert len(cells(magic)) == len(EXAMPLES[magic])
    for cell, example in zip(cells(magic), EXAMPLES[magic], strict=True):
        assert parsed(magic, cell) is not None
        assert example.what in cell
        what_it_says, without_its_comment = parsed(magic, cell), parsed(magic, example.code)
        if magic not in ("%%rds_sql", "%rds_explain"):  # there a comment of a line is the SQL's
            assert what_it_says == without_its_comment


@pytest.mark.parametrize("magic", GRAMMARS)
def test_the_help_begins_with_a_sentence_and_examples(magic):
    text = GRAMMARS[magic].help()
    first, space, title, *rest = text.splitlines()
    assert first[0].isupper()
    assert first.endswith(".")
    assert ". " not in first
    assert (space, title) == ("", "Examples:")
    assert rest[0] == f"  {shown(magic)[0]}"
    assert [line for line in text.splitlines() if len(line) > WIDTH] == []
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    titles = [line for line in text.splitlines() if line in ("Examples:", "Usage:", "Options:")]
    assert titles == ["Examples:", "Usage:", "Options:"]


def test_what_examples_say_stands_in_one_column():
    assert shown("%rds_iam_doctor")[1:] == [
        "%rds_iam_doctor my-cluster -u analyst --share  # names masked, for others",
        "%rds_iam_doctor my-cluster -u analyst --fix 1  # do what finding 1 says",
        "%rds_iam_doctor                                # in a notebook: what failed last",
    ]
    assert shown("%rds_explain")[1:3] == ["", "%%rds_explain --analyze  # run it, with times"]
    assert shown("%nothing") == []
