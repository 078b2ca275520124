"""Frames of the notebook, written by the magics."""

import pytest

from rds_iam_magic.errors import ConnectionLostError, NotConnectedError, OptionError

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def loading(tester):
    """A shell with frames, connected to the scratch schema."""
    tester.ok("import pandas as pd; df = pd.DataFrame({'id': [1, 2, 3], 'name': ['a', 'b', None]})")
    tester.ok("number = 5")
    yield tester
    tester.ok("%rds_sql -q DROP TABLE IF EXISTS df, loaded")


def test_persist(loading):
    cell = loading.ok("%rds_sql --persist df")
    assert cell.value is None
    assert "3 rows written into table df · " in cell.output
    assert "sized by the longest values: name VARCHAR(16)" in cell.output
    assert len(loading.ok("%rds_sql SELECT * FROM df").value) == 3
    error = loading("%rds_sql --persist df").error
    assert isinstance(error, OptionError)
    assert "--append or --replace (%rds_sql: --persist-replace)" in error.hint
    loading.ok("%rds_sql --append df")
    assert len(loading.ok("%rds_sql SELECT * FROM df").value) == 6
    loading.ok("%rds_sql sandbox --persist-replace df loaded")
    loading.ok("%rds_sql --persist-replace df loaded")
    assert len(loading.ok("%rds_sql SELECT * FROM loaded").value) == 3
    assert loading.ok("%rds_sql -q --persist-replace df loaded").output.count("written") == 0


def test_the_magic_does_the_same(loading):
    cell = loading.ok("%rds_load df")
    assert cell.value is None
    assert "3 rows written into table df · " in cell.output
    assert "already exists" in str(loading("%rds_load df").error)
    loading.ok("%rds_load df --append -A sandbox")
    assert len(loading.ok("%rds_sql SELECT * FROM df").value) == 6
    assert loading.ok("%rds_load df loaded --replace -q").output.count("written") == 0
    assert len(loading.ok("%rds_sql SELECT * FROM loaded").value) == 3
    assert "\nUsage:\n  %rds_load DF [TABLE]" in loading.ok("%rds_load --help").output


def test_the_last_result_and_the_variables_of_a_function(loading):
    loading.ok("%rds_sql SELECT 1 AS a")
    loading.ok("%rds_sql --persist _ loaded")
    loading.ok("def f():\n    own = df.head(1)\n    get_ipython().run_line_magic('rds_sql', '--append own loaded')")
    error = loading("f()").error
    assert "has no column id" in str(error)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--persist dff", "There is no variable 'dff'.\nDid you mean df?"),
        ("--persist number", "number is a int, not a DataFrame"),
        ("--persist nothing_like_it", "There is no variable"),
        ("--with a=dff SELECT 1", "There is no variable 'dff'"),
    ],
)
def test_what_is_no_frame(loading, line, message):
    error = loading(f"%rds_sql {line}").error
    assert isinstance(error, OptionError)
    assert message in str(error)


def test_with(loading):
    query = "%%rds_sql --with customers=df\nSELECT COUNT(c.name) AS n FROM flow JOIN customers c ON c.id = flow.a"
    assert loading.ok(query).value["n"].tolist() == [2]
    loading.ok("df = df.head(1)")
    assert loading.ok(query).value["n"].tolist() == [1], "made again"
    assert loading.ok("%rds_sql SELECT * FROM customers").value.shape == (1, 2), "until the session ends"
    error = loading("%%rds_sql --with flow=df\nSELECT 1").error
    assert "There is a table flow, which the temporary one would hide" in str(error)
    loading.ok("%rds_sql -q CREATE TEMPORARY TABLE mine (a INT)")
    assert "is a temporary table of this session" in str(loading("%%rds_sql --with mine=df\nSELECT 1").error)


def test_a_lost_session_says_that_the_tables_went_with_it(loading, inside):
    loading.ok("%%rds_sql --with customers=df\nSELECT * FROM customers")
    number = loading.ok("%rds_sql SELECT CONNECTION_ID() AS n").value.loc[0, "n"]
    with inside.server.root() as root:
        root.execute(f"KILL CONNECTION {number}")
    error = loading("%rds_sql SELECT * FROM customers").error
    assert isinstance(error, ConnectionLostError)
    assert "temporary tables" in str(error)
    assert len(loading.ok("%%rds_sql --with customers=df\nSELECT * FROM customers").value) == 3


def test_without_a_connection(shell):
    shell.ok("import pandas as pd; df = pd.DataFrame({'a': [1]})")
    assert isinstance(shell("%rds_sql --persist df").error, NotConnectedError)
