"""What the documents say can be typed: each magic line in them is one that the options' grammar understands."""

import json
import re
from pathlib import Path

import pytest

from rds_iam_magic import errors
from rds_iam_magic.notebook import grammars, options
from rds_iam_magic.notebook.doctor.lines import parse_doctor
from rds_iam_magic.notebook.frames.lines import parse_load
from rds_iam_magic.notebook.looking.lines import parse_explain, parse_look
from rds_iam_magic.notebook.plots.lines import parse_plot
from rds_iam_magic.notebook.setup.lines import parse_access, parse_policy, parse_user
from rds_iam_magic.notebook.setup.provision_lines import parse_enable, parse_provision

ROOT = Path(__file__).parents[1]
PARSERS = {
    "rds_iam_connect": options.parse_connect,
    "rds_iam_doctor": parse_doctor,
    "rds_iam_user": parse_user,
    "rds_iam_policy": parse_policy,
    "rds_iam_provision": parse_provision,
    "rds_iam_enable": parse_enable,
    "rds_iam_access": parse_access,
    "rds_load": parse_load,
    "rds_tables": lambda line: parse_look(grammars.TABLES, line),
    "rds_columns": lambda line: parse_look(grammars.COLUMNS, line, least=1),
    "rds_preview": lambda line: parse_look(grammars.PREVIEW, line, least=1, most=2),
    "rds_ddl": lambda line: parse_look(grammars.DDL, line, least=1),
    "rds_profile": lambda line: parse_look(grammars.PROFILE, line, least=1),
    "rds_plot": parse_plot,
    "rds_explain": lambda line: parse_explain(line, None),
    "rds_databases": lambda line: parse_look(grammars.DATABASES, line, most=0),
    "rds_sql": lambda line: options.parse_sql(line, None, ["prod"]),
}


def parameters():
    """What the first cells of the notebooks set, where a line takes more than any word."""
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            yield from re.findall(r'^(\w+) = "([^"]+)"', "".join(cell["source"]), re.MULTILINE)


PARAMETERS = {**dict(parameters()), "PORT": "3306"}


def magic_lines():
    texts = re.findall(r"```\w*\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        texts += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for text in texts:
        for line in text.splitlines():
            match = re.match(r" *(?:\w+ = )?(%%?)(rds_\w+) ?(.*)", line)
            if match:
                yield pytest.param(match[2], match[3], text if match[1] == "%%" else None, id=line)


@pytest.mark.parametrize(("magic", "line", "cell"), list(magic_lines()))
def test_a_magic_line_of_the_documents(magic, line, cell, tmp_path, monkeypatch):
    monkeypatch.setenv("RDS_IAM_MAGIC_CONNECTIONS", str(tmp_path / "connections.ini"))
    (tmp_path / "connections.ini").write_text("[prod]\ntarget = my-cluster\nuser = analyst\n")
    line = re.sub(r"\{(\w+)\}", lambda match: PARAMETERS.get(match[1], match[1]), line)  # as IPython fills variables in
    if cell is not None:
        assert options.parse_sql(line, cell, ["prod"]) is not None
    else:
        assert PARSERS[magic](line) is not None
    assert "#" not in line


def test_the_readme_names_the_variables_that_are_read():
    named = set(re.findall(r"`(RDS_IAM_MAGIC_\w+)`", (ROOT / "README.md").read_text(encoding="utf-8")))
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "rds_iam_magic").rglob("*.py")]
    assert named == {name for text in sources for name in re.findall(r"RDS_IAM_MAGIC_[A-Z_]+", text)}


def test_the_page_on_python_says_when_each_error_is_raised():
    """The table has the tree of errors.py, in its order."""
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:– )?`(\w+Error)` \| \S", page, re.MULTILINE)
    assert rows == re.findall(r"^[│ ]*[├└]── (\w+)", str(errors.__doc__), re.MULTILINE)
