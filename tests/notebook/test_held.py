"""`rds_iam_magic.connection()`: the connection that the magics hold, in the same session."""

import subprocess
import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell

import rds_iam_magic
from rds_iam_magic.errors import NotConnectedError

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def cells(shell, monkeypatch):
    """The shell as IPython's own, which a notebook's or a terminal's is."""
    monkeypatch.setattr(InteractiveShell, "_instance", shell.ip)
    shell.ok("import rds_iam_magic")
    return shell


def test_the_same_session(cells, scratch):
    assert scratch
    cells.ok("%rds_iam_connect sandbox -u tester -d scratch")
    cells.ok("%rds_sql -q CREATE TEMPORARY TABLE mine (a INT)")
    cells.ok("%rds_sql -q START TRANSACTION")
    cells.ok("%rds_sql -q INSERT INTO mine VALUES (1), (2)")
    assert cells.ok("rds_iam_magic.connection().query('SELECT COUNT(*) AS n FROM mine').loc[0, 'n']").value == 2
    assert cells.ok("rds_iam_magic.connection().execute('INSERT INTO mine VALUES (3)')").value == 1
    cells.ok("%rds_sql -q ROLLBACK")
    assert cells.ok("%rds_sql SELECT COUNT(*) AS n FROM mine").value.loc[0, "n"] == 0
    assert cells.ok("rds_iam_magic.connection() is rds_iam_magic.connection('sandbox')").value


def test_an_alias_does_not_become_the_current_connection(cells):
    cells.ok("%rds_iam_connect sandbox -u reader -d shop -A prod")
    cells.ok("%rds_iam_connect sandbox -u reader -d shop -A test")
    assert cells.ok("rds_iam_magic.connection('prod') is not rds_iam_magic.connection()").value
    assert cells.ok("rds_iam_magic.connection() is rds_iam_magic.connection('test')").value
    error = cells("rds_iam_magic.connection('prd')").error
    assert isinstance(error, NotConnectedError)
    assert str(error) == "There is no connection 'prd'.\nDid you mean prod? Open connections: prod, test."


def test_nothing_is_held(cells):
    error = cells("rds_iam_magic.connection()").error
    assert str(error) == "Not connected.\nConnect first: %rds_iam_connect TARGET -u USER"
    cells.ok("%unload_ext rds_iam_magic")
    error = cells("rds_iam_magic.connection()").error
    assert str(error) == (
        "The magics are not loaded, so they hold no connection.\nRun %load_ext rds_iam_magic, then connect."
    )


def test_outside_of_ipython():
    script = (
        "import sys, rds_iam_magic\n"
        "try: rds_iam_magic.connection()\n"
        "except rds_iam_magic.NotConnectedError as error: print(error)\n"
        "assert 'IPython' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "IPython is not running here, so the magics hold no connection.\n"
        'Connect first: rds_iam_magic.connect("TARGET", user="USER")\n'
    )


def test_the_room_of_the_same_name_does_not_take_the_functions_place():
    script = (
        "from rds_iam_magic.connection import executor\n"
        "import rds_iam_magic, importlib\n"
        "from rds_iam_magic import connection\n"
        "assert connection is rds_iam_magic.connection\n"
        "assert connection.__name__ == 'connection' and callable(connection)\n"
        "assert importlib.import_module('rds_iam_magic.connection').executor is executor"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert callable(rds_iam_magic.connection)
