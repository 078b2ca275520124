"""The magics for looking around, in a real IPython shell, against the real server."""

import html
import re

import pandas as pd
import pytest

from rds_iam_magic.errors import NotConnectedError, OptionError

pytestmark = pytest.mark.slow  # servers and kernels


def shown(shell, value):
    """A value's text and HTML, as IPython makes them for a cell's value."""
    data, _ = shell.ip.display_formatter.format(value)
    return data.get("text/plain", ""), html.unescape(data.get("text/html") or "")


def test_tables_are_shown_whole_and_are_a_frame(connected):
    value = connected.ok("%rds_tables").value
    assert type(value) is pd.DataFrame
    text, page = shown(connected, value)
    assert re.search(r"^shop +orders +table +\d\d,\d\d\d +\d MB$", text, re.MULTILINE)
    assert re.search(r">\d\d,\d\d\d</td>", page)
    assert value["bytes"].sum() > 1_000_000, "numbers, however they are shown"
    connected.ok("found = %rds_tables order_*")
    assert connected.names["found"]["table"].tolist() == ["order_lines"]


def test_another_connection_by_its_alias(connected):
    connected.ok("%rds_iam_connect sandbox -u reader -A other")
    connected.ok("%rds_iam_connect sandbox")
    assert len(connected.ok("%rds_tables -A other shop.*").value) == 4
    assert connected.ok("%rds_iam_connect").output.startswith("other: ")
    error = connected("%rds_tables -A othr").error
    assert isinstance(error, NotConnectedError)
    assert "Did you mean other?" in error.hint


def test_variables_are_filled_in(connected):
    connected.names["wanted"] = "ord*"
    assert len(connected.ok("%rds_tables {wanted}").value) == 2


def test_without_a_connection(shell):
    error = shell("%rds_tables").error
    assert isinstance(error, NotConnectedError)
    assert "%rds_iam_connect" in error.hint


def test_help_and_mistakes(connected):
    assert "[PATTERN]" in connected.ok("%rds_tables --help").output
    error = connected("%rds_tables --alas x").error
    assert isinstance(error, OptionError)
    assert "Did you mean --alias?" in error.hint


def test_unloading_takes_them_away(connected):
    connected.ok("%unload_ext rds_iam_magic")
    assert "rds_tables" not in connected.ip.magics_manager.magics["line"]
    assert not [each for each in connected.ip.configurables if type(each).__name__.startswith("RdsIam")]
    connected.ok("%load_ext rds_iam_magic")
    assert "rds_tables" in connected.ip.magics_manager.magics["line"]
