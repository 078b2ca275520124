"""This package's errors are a line or two in IPython, wherever they were raised; plain exceptions in plain Python."""

import os
import subprocess
import sys

import pytest

import rds_iam_magic
from rds_iam_magic.errors import StatementError

CONNECT = "import rds_iam_magic\ndb = rds_iam_magic.connect('sandbox', user='reader', database='shop')"


@pytest.fixture
def python(connected):
    """A shell with a connection of a cell's own."""
    connected.ok(CONNECT)
    yield connected
    connected.names["db"].close()


@pytest.mark.parametrize("loaded", [True, False])
@pytest.mark.parametrize(
    "cell", ["db.query('SELEC')", "for _ in range(3):\n    db.execute('SELEC')", "%time db.query('SELEC')"]
)
def test_an_error_of_python_is_short(python, cell, loaded):
    if not loaded:
        python.ip.run_line_magic("unload_ext", "rds_iam_magic")
    done = python(cell)
    lines = [line for line in done.output.strip().splitlines() if "time" not in line]  # %time's own
    assert lines[0].startswith("StatementError: The statement failed: ")
    assert len(lines) == 2
    traceback = python("%tb").output
    assert "Traceback" in traceback
    assert "in Connection." in traceback
    assert traceback.rstrip().endswith("Check the SQL just before the text that the message quotes.")
    if not loaded:
        python.ip.run_line_magic("load_ext", "rds_iam_magic")


@pytest.mark.parametrize("mode", ["Plain", "Verbose"])
def test_the_traceback_holds_the_detail_and_no_secret(python, inside, mode):
    python.ok(f"%xmode {mode}")
    shown = python("rds_iam_magic.connect('sandbox', user='nobody')").output
    assert len(shown.strip().splitlines()) <= 2
    shown = python("%tb").output
    assert "Traceback" in shown
    assert not any(secret in shown for _, secret in inside.keys.values())
    assert "X-Amz-" not in shown


def test_errors_of_others_and_caught_ones_are_as_before(python):
    assert "Traceback" in python("1/0").output
    assert (
        "Traceback"
        in python("try:\n    db.query('SELEC')\nexcept Exception as e:\n    raise ValueError(1) from e").output
    )
    caught = "try:\n    db.query('SELEC')\nexcept rds_iam_magic.StatementError as error:\n    print(error.code)"
    assert python.ok(caught).output == "1064\n"


def test_a_script_has_a_plain_traceback(inside, tmp_path):
    assert inside.server.pid
    script = tmp_path / "script.py"
    script.write_text(f"{CONNECT}\nwith db:\n    db.query('SELEC')\n")
    done = subprocess.run(
        [sys.executable, str(script)], env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last):")
    assert 'script.py", line 4, in <module>' in done.stderr
    assert "rds_iam_magic.errors.StatementError: The statement failed" in done.stderr


DENIED = "rds_iam_magic.connect('sandbox', user='reader', profile='stranger')"


def test_each_interface_has_its_own_spelling_of_the_same_cause(python):
    of_magic, of_python = python("%rds_iam_connect sandbox -u reader --profile stranger -A x"), python(DENIED)
    assert of_magic.error.cause == of_python.error.cause == "user-or-iam-denied"
    assert of_magic.error.message == of_python.error.message
    for cell in (of_magic, of_python):
        assert "dbuser:RESOURCE_ID/reader" in cell.output
    assert of_magic.output.endswith("Why: %rds_iam_doctor sandbox -u reader --profile stranger\n")
    assert of_python.output.endswith("Why: rds_iam_magic.diagnose('sandbox', user='reader', profile='stranger')\n")
    assert "%rds" not in of_python.output


def test_a_note_is_spelled_for_where_it_came_up(python):
    sql = "SELECT CAST(1234567890.12345678 AS DECIMAL(18, 8)) AS d"
    assert "; --decimal exact keeps them." in python.ok(f"%rds_sql {sql}").output
    with pytest.warns(rds_iam_magic.RdsIamWarning, match='; decimal="exact" keeps them'):
        python.names["db"].query(sql)


def test_the_errors_are_exported():
    from rds_iam_magic import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert {kind.__name__ for kind in kinds} < set(rds_iam_magic.__all__)
    assert all(getattr(rds_iam_magic, kind.__name__) is kind for kind in kinds)
    assert rds_iam_magic.StatementError is StatementError
