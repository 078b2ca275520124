"""Each option once: its text and default live in one `OptionInfo`, and every other place says the same."""

import inspect
import re
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest

from rds_iam_magic import connecting
from rds_iam_magic.connect_options import CONNECT_ARGUMENTS, ConnectOptions, TargetOptions
from rds_iam_magic.connecting import connect, connect_with
from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.notebook import grammars, options
from rds_iam_magic.notebook.magics import RdsIamMagics
from rds_iam_magic.notebook.setup.lines import parse_user
from rds_iam_magic.option import OptionInfo, options_of
from rds_iam_magic.results.formats import QUERY_ARGUMENTS
from rds_iam_magic.setup.users import create_user
from tests.support.docstrings import read_docstring

ROOT = Path(__file__).parents[1]
KINDS = (TargetOptions, ConnectOptions, SessionSettings)
VALUES = {name: info for kind in KINDS for name, info in options_of(kind).items()}
INFOS = {**CONNECT_ARGUMENTS, **VALUES, **QUERY_ARGUMENTS}


def test_each_field_has_its_text_and_default():
    for kind in KINDS:
        assert [info.default for info in options_of(kind).values()] == [field.default for field in fields(kind)]
        assert kind() == kind(**{name: info.default for name, info in options_of(kind).items()})


@pytest.mark.parametrize("info", INFOS.values(), ids=INFOS)
def test_a_text_is_a_sentence(info):
    for text in filter(None, (info.text, info.off_text)):
        assert re.fullmatch(r"[A-Z].*\.", text)
        assert "Default:" not in text, "the default is said behind the text"


def test_connect_takes_each_option():
    """Explicit, for editors and type checkers; and the same as the fields."""
    signature = inspect.signature(connect)
    hints = get_type_hints(connect)
    assert [name for name in signature.parameters if name not in CONNECT_ARGUMENTS] == list(VALUES)
    for kind in KINDS:
        for name, hint in get_type_hints(kind).items():
            assert hints[name] == hint
    for name, info in VALUES.items():
        assert signature.parameters[name].default == info.default


def test_connect_hands_each_option_on(monkeypatch):
    calls = []
    monkeypatch.setattr(connecting, "connect_with", lambda *values, **named: calls.append((values, named)))
    given = {name: object() for name in inspect.signature(connect).parameters}
    given |= {"target": "sandbox", "user": "reader", "timeout": 7.5, "close_idle": 2.5, "section": None}
    given |= {"stack": None, "secret": None, "reader": False, "endpoint": "analytics"}
    connect(**given)
    (((connect_options, settings, target), named),) = calls
    assert connect_options == ConnectOptions(**{name: given[name] for name in options_of(ConnectOptions)})
    assert settings == SessionSettings(**{name: given[name] for name in options_of(SessionSettings)})
    assert named.pop("where") == TargetOptions(endpoint="analytics")
    handed_on = CONNECT_ARGUMENTS.keys() - {"section"}  # it is read before
    assert {"target": target, **named} == {name: given[name] for name in handed_on}
    assert set(inspect.signature(connect_with).parameters) == {"options", "settings", "where", *handed_on}
    calls.clear()
    connect(user="reader", stack="shop", reader=True)
    (((_, _, target), named),) = calls
    assert (target, named["where"]) == ("", TargetOptions(stack="shop", reader=True))


@pytest.mark.parametrize(
    ("documented", "infos"),
    [
        (connect, INFOS),
        (Connection, CONNECT_ARGUMENTS),
        (Connection.query, QUERY_ARGUMENTS),
        (Connection.write, QUERY_ARGUMENTS),
        (Connection.batches, QUERY_ARGUMENTS),
    ],
)
def test_a_docstring_has_the_options_texts(documented, infos):
    described = read_docstring(documented).arguments
    assert list(described) == [name for name in inspect.signature(documented).parameters if name != "self"]
    shared = [name for name in described if name in infos]
    assert shared
    for name in shared:
        assert described[name] == infos[name].argument_text()


@pytest.mark.parametrize("method", [Connection.query, Connection.write, Connection.run, Connection.batches])
def test_a_query_has_the_options_defaults(method):
    parameters = inspect.signature(method).parameters
    shared = [name for name in parameters if name in QUERY_ARGUMENTS and name != "sql"]
    assert {name: parameters[name].default for name in shared} == {
        name: QUERY_ARGUMENTS[name].default for name in shared
    }


def test_the_magics_have_the_same_texts():
    items = [item for grammar in grammars.GRAMMARS for item in grammar.options if item.key in INFOS]
    own = {item.key for item in items if item.info is not INFOS[item.key]}
    assert own == {"target", "secret", "params", "user"}, "their own in each"
    assert {item.key for item in grammars.CONNECT.options} >= set(VALUES)
    assert {item.key for item in grammars.USER.options} >= set(options_of(ConnectOptions))
    assert {item.key for item in grammars.POLICY.options} == {
        "target", "stack", "secret", "resource_id", "account", "attach", "name", "dry_run", "fix", "wildcard",
        "region", "profile", "role_arn", "external_id",
    }  # fmt: skip
    assert RdsIamMagics.max_memory.help == CONNECT_ARGUMENTS["max_memory"].argument_text()
    assert grammars.USER.info("host").default == inspect.signature(create_user).parameters["host"].default


def test_a_line_of_nothing_gives_the_defaults():
    line = options.parse_connect("sandbox -u reader")
    assert (line.where, line.options, line.settings) == (TargetOptions(), ConnectOptions(), SessionSettings())
    query = options.parse_sql("SELECT 1", None, ())
    for key in ("type", "limit", "decimal", "dtype_backend", "overwrite"):
        assert getattr(query, key) == grammars.SQL.info(key).default
    assert parse_user("create a --secret s").host == grammars.USER.info("host").default


@pytest.mark.parametrize("key", VALUES)
def test_each_option_of_the_line_arrives(key):
    """Each field from its option; no other field changes."""
    kind = next(kind for kind in KINDS if key in options_of(kind))
    name = key.replace("_", "-")
    is_number = float in getattr(get_type_hints(kind)[key], "__args__", (get_type_hints(kind)[key],))
    text = (VALUES[key].choices or ("7",))[-1]
    written, value = (f"--{name} {text}", 7.0 if is_number else text) if VALUES[key].metavar else (f"--{name}", True)
    target = "" if key in ("stack", "secret") else "sandbox"
    line = options.parse_connect(f"{target} -u reader {written}")
    values = (line.where, line.options, line.settings)
    assert values == tuple(other(**({key: value} if other is kind else {})) for other in KINDS)
    if VALUES[key].off_text:
        assert getattr(options.parse_connect(f"sandbox -u reader --no-{name}").settings, key) is False


def test_texts():
    info = OptionInfo("It is on.", default_text="the server's", variable="V", off_text="It is off.")
    assert info.magic_text() == "It is on. Default: the variable `V`, else the server's."
    assert info.argument_text() == "True: it is on. False: it is off. Default: the variable `V`, else the server's."
    assert OptionInfo("Seconds.", default=2.5).argument_text() == "Seconds. Default: `2.5`."
    assert OptionInfo("Only read.", default=False).argument_text() == "Only read."


def test_the_variables_are_read_and_in_the_readme():
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "rds_iam_magic").rglob("*.py"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    variables = {name: info.variable for name, info in INFOS.items() if info.variable}
    assert set(variables) == {"via", "ca"}
    for name, variable in variables.items():
        assert f'os.environ.get("{variable}")' in sources
        assert re.search(rf"^\| `{variable}` \| default for `--{name}` \|$", readme, re.MULTILINE)
