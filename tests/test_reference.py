"""docs/reference.md is generated: `make docs` writes it anew."""

import inspect
import re

from rds_iam_magic.connecting import connect
from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.notebook.grammars import GRAMMARS
from rds_iam_magic.notebook.magics import RdsIamMagics
from tests import write_reference
from tests.support.docstrings import read_docstring


def test_the_reference_is_current():
    assert write_reference.PATH.read_text(encoding="utf-8") == write_reference.text()


def test_each_option_and_argument_has_a_row_with_a_text():
    text = write_reference.text()
    pieces = re.split(r"^#{2,4} (.*)\n", text, flags=re.MULTILINE)
    sections = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    for grammar in GRAMMARS:
        rows = re.findall(r"^\| (?:`-\w`, )?`--([\w-]+)`.* \| (\S.*) \|$", sections[grammar.magic], re.MULTILINE)
        assert [name for name, _ in rows] == [option.name for option in grammar.all_options]
    methods = {f"Connection.{name}": getattr(Connection, name) for name in dir(Connection) if name[0] != "_"}
    functions = {name: item for name, item in methods.items() if inspect.isfunction(item)}
    assert len(functions) > 6
    for name, function in {"rds_iam_magic.connect": connect, **functions}.items():
        rows = re.findall(r"^\| `(\w+)` \|.* \| (\S.*) \|$", sections[name], re.MULTILINE)
        assert [key for key, _ in rows] == [key for key in inspect.signature(function).parameters if key != "self"]


def test_each_setting_has_a_row_and_a_help():
    rows = re.findall(r"^\| `RdsIamMagics\.(\w+)` \| \S.* \| (\S.*) \|$", write_reference.text(), re.MULTILINE)
    traits = RdsIamMagics.class_own_traits(config=True)
    assert [name for name, _ in rows] == list(traits)
    assert {name: trait.help for name, trait in traits.items() if not trait.help} == {}


def test_a_docstring_is_taken_apart():
    def documented():
        """Do it.

        At once:
        now.

        Args:
            a: A long
                story.
            b, c: Short; see `x: y`.

        Raises:
            OSError: It failed.

        Example:
            >>> documented()
        """

    doc = read_docstring(documented)
    assert doc.paragraphs == ["Do it.", "At once: now."]
    assert doc.sections == {
        "Args": {"a": "A long story.", "b, c": "Short; see `x: y`."},
        "Raises": {"OSError": "It failed."},
    }
