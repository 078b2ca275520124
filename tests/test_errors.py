"""Each error has a cause, and a hint in the words of the interface where it came up."""

import ast
import pickle
import re
from functools import cache

import pytest

from rds_iam_magic.errors import AccessDeniedError, DecodeError, StatementError, TlsError, UnreachableError
from rds_iam_magic.hints import HINTS, SPELLINGS, Interface, Note, spell, spelled
from rds_iam_magic.notebook import grammars
from tests import write_errors

OPTIONS = {option.name for grammar in grammars.GRAMMARS for option in grammar.all_options}
SHORT = {option.short for grammar in grammars.GRAMMARS for option in grammar.options if option.short}
SPEAKS_NOTEBOOK = re.compile(
    rf"%%?rds_\w|%config|(?<![\w-])--(?:{'|'.join(sorted(OPTIONS))})(?![\w-])|(?<![\w-])-[{''.join(SHORT)}](?![\w-])"
)
KEBAB = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@cache
def texts_of(module):
    """The string literals of a module, but for its docstrings, each with its line."""
    nodes = list(ast.walk(module))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in nodes
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    return [
        (node.lineno, node.value)
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]


def speaks_notebook(module):
    return [(line, text) for line, text in texts_of(module) if SPEAKS_NOTEBOOK.search(text)]


@pytest.mark.parametrize(
    "text",
    [
        "add --via HOST:PORT",
        "Add -u USER.",
        "without -d and",
        "%rds_iam_policy x",
        "(--timeout)",
        "%%rds_sql",
        "%config x",
    ],
)
def test_the_notebooks_language_is_recognised(text):
    assert speaks_notebook(ast.parse(f"f({text!r})"))


@pytest.mark.parametrize("text", ["via=x", "a-d", "mysql--limited", "-- comment", "read-only", "-1"])
def test_what_is_not_the_notebooks_language(text):
    assert not speaks_notebook(ast.parse(f"f({text!r})"))


def test_rooms_below_the_notebook_do_not_speak_its_language():
    # The others speak to other programs; the last one reads both languages, to mask names in them.
    to_programs = ("tunnels/ssh.py", "tunnels/ssm.py", "doctor/checks/log.py")
    others = ("notebook/", "hints.py", *to_programs, "doctor/masking.py")
    rooms = [(name, module) for name, module in write_errors.modules() if not name.startswith(others)]
    assert len(rooms) > 40
    assert [(name, *told) for name, module in rooms for told in speaks_notebook(module)] == []


def test_each_class_has_a_default_cause():
    assert [kind for kind in write_errors.kinds() if "cause" not in vars(kind)] == []
    defaults = [kind.cause for kind in write_errors.kinds()]
    assert len(set(defaults)) == len(defaults)


def test_each_cause_is_in_the_table_and_each_of_the_table_is_used():
    used = {site.cause for site in write_errors.sites()} | {kind.cause for kind in write_errors.kinds()}
    assert used == set(HINTS)
    assert [cause for cause in HINTS if not KEBAB.fullmatch(cause)] == []


def test_a_cause_of_no_table_is_found():
    """`cause=` with anything but a text of the table or a row of one would go unseen above."""
    handed_on = re.compile(
        r"(self\.|error\.)?cause|cause_of\(event\)|cause or type\(self\)\.cause|\w*_CAUSES\.get\(.*\)"
    )
    others = [
        (name, node.lineno, ast.unparse(node.value))
        for name, module in write_errors.modules()
        for node in ast.walk(module)
        if isinstance(node, ast.keyword) and node.arg == "cause" and not write_errors._texts(node.value)
    ]
    assert [site for site in others if not handed_on.fullmatch(site[2])] == []


@pytest.mark.parametrize("cause", sorted(HINTS))
def test_a_hint_in_both_interfaces(cause):
    facts = {"user": "analyst", "host": "h.example.com", "source": "/bundle.pem"}
    python, notebook = (spell(HINTS[cause], interface, facts) for interface in Interface)
    for text in (python, notebook):
        assert not re.search(r"[{}]", text), text
        assert len(text.splitlines()) <= 1
    assert not SPEAKS_NOTEBOOK.search(python), python
    assert not re.search(r"\b(via|ca|user|profile|region|database|timeout|limit|decimal)=|\w\(\)|connect\(", notebook)


def test_each_spelling_is_used_and_each_placeholder_is_known():
    templates = [*HINTS.values(), *(text for _, module in write_errors.modules() for _, text in texts_of(module))]
    used = {name for text in templates for name in re.findall(r"\{((?:option|command):[a-z-]+)\}", text)}
    assert used == set(SPELLINGS)
    facts = {name for text in HINTS.values() for name in re.findall(r"\{(\w+)\}", text)}
    facts |= {name for pair in SPELLINGS.values() for text in pair for name in re.findall(r"\{(\w+)\}", text)}
    assert facts == {
        "user", "host", "source", "table", "stack", "permission", "engine", "instance", "ssh", "section",
        "line", "arguments", "number", "target", "principal", "word", "account",
    }  # fmt: skip


def test_an_error_is_spelled_for_its_interface():
    error = UnreachableError("No.", cause="name-unknown")
    assert 'via="HOST:PORT"' in error.hint
    error.interface = Interface.NOTEBOOK
    assert "by a tunnel: --ssh HOST, --ssm INSTANCE_ID or --via HOST:PORT" in str(error)


def test_a_sentence_in_front_of_the_hint_leaves_the_rest_to_be_spelled():
    error = UnreachableError("No.", cause="name-unknown")
    error.put_before_hint("One has run.")
    error.put_before_hint("A transaction is open.")
    error.interface = Interface.NOTEBOOK
    assert error.hint.startswith("A transaction is open. One has run. Check its spelling")
    assert error.hint.endswith("--via HOST:PORT.")
    error.hint = "Something else."
    assert str(error) == "No.\nSomething else."


def test_a_sentence_behind_the_hint_stays_there():
    error = UnreachableError("No.", cause="name-unknown")
    error.put_behind_hint(Note("Why: {command:doctor}", line="a -u {b}", arguments="'a', user='{b}'"))
    error.put_before_hint("One has run.")
    assert error.hint.endswith("Why: rds_iam_magic.diagnose('a', user='{b}')")
    error.interface = Interface.NOTEBOOK
    error.hint = "Something else."
    assert str(pickle.loads(pickle.dumps(error))) == "No.\nSomething else. Why: %rds_iam_doctor a -u {b}"


def test_a_hint_that_is_none_of_the_table_can_be_given_and_lengthened():
    error = StatementError("No.", code=1)
    assert (error.cause, error.hint, str(error)) == ("server-error", "", "No.")
    error.hint = "One has run."
    error.put_before_hint("Look.")
    assert error.hint == "Look. One has run."
    assert DecodeError("No.", "Select it.", column="a").hint == "Select it."


def test_facts_are_not_read_as_placeholders():
    error = AccessDeniedError("No.", cause="iam-denied", facts={"user": "{option:via}{host}", "host": "h"})
    error.interface = Interface.NOTEBOOK
    assert error.hint.endswith("dbuser:RESOURCE_ID/{option:via}{host}.")


def test_a_fact_that_is_not_known_is_shown_in_capitals():
    assert "The bundle is SOURCE" in TlsError("No.", cause="tls-untrusted").hint


def test_an_error_keeps_its_hint_when_it_is_pickled():
    error = AccessDeniedError("No.", cause="iam-denied", facts={"user": "a"}, detail="d")
    error.put_before_hint("Well.")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.cause, again.detail) == (str(error), "iam-denied", "d")
    assert "/a" in again.hint


def test_a_note_is_a_text_that_knows_both_spellings():
    note = Note("column {column}: {option:exact-decimals} keeps it.", column="{x}")
    assert note == 'column {x}: decimal="exact" keeps it.'
    assert note.spelled(Interface.NOTEBOOK) == "column {x}: --decimal exact keeps it."
    assert pickle.loads(pickle.dumps(note)).spelled(Interface.NOTEBOOK) == note.spelled(Interface.NOTEBOOK)


def test_a_hint_is_handed_on_in_both_spellings():
    error = UnreachableError("No.", cause="name-unknown")
    error.put_before_hint(Note("Try {option:wait}."))
    assert error.hint_note == error.hint
    assert spelled(error.hint_note, Interface.PYTHON) == error.hint
    error.interface = Interface.NOTEBOOK
    assert spelled(error.hint_note, Interface.NOTEBOOK) == error.hint
    assert error.hint.startswith("Try --wait.")
    assert spelled("the same", Interface.NOTEBOOK) == "the same"


def test_the_page_is_current():
    page = write_errors.ROOT / "docs" / "errors.md"
    assert page.read_text(encoding="utf-8") == write_errors.text(), "run make docs"
