"""Tasks that any process can read: what they hold, and that they connect by themselves."""

import pickle
import subprocess
import sys

import pandas as pd
import pytest

import rds_iam_magic
from rds_iam_magic.errors import OptionError, ResultError
from rds_iam_magic.mysql.session_settings import SessionSettings

pytestmark = pytest.mark.slow  # servers and kernels

QUERY = "SELECT id, customer_id, ordered_at FROM orders"


@pytest.fixture
def shop(inside):  # noqa: ARG001 - its environment
    with rds_iam_magic.connect("sandbox", user="reader", database="shop", time_zone="+02:00") as db:
        yield db


def test_tasks_are_the_rows_with_the_dtypes_of_the_whole(shop):
    tasks = pickle.loads(pickle.dumps(shop.partitions(QUERY, n=3)))
    assert [repr(task) for task in tasks] == [f"<Partition {n} of 3>" for n in (1, 2, 3)]
    whole = shop.query(QUERY)
    pd.testing.assert_frame_equal(pd.concat([task.read() for task in tasks], ignore_index=True), whole)
    pd.testing.assert_frame_equal(tasks[0].empty(), whole.iloc[:0])
    assert sum(task.read_arrow().num_rows for task in tasks) == len(whole)
    pd.testing.assert_series_equal(
        tasks[1].read(dtype_backend="pyarrow").dtypes, tasks[1].empty(dtype_backend="pyarrow").dtypes
    )


def test_a_whole_decimal_beyond_63_bits(shop):
    sql = "SELECT seq AS id, CAST(IF(seq = 9, POW(10, 20), seq) AS DECIMAL(30)) AS big FROM seq_1_to_9"
    first, last = shop.partitions(sql, on="id", n=2)
    assert first.read()["big"].dtype == first.empty()["big"].dtype == "Int64"
    with pytest.raises(ResultError, match="Column big has a value beyond 63 bits") as caught:
        last.read(notify=[].append)
    assert "exact" in caught.value.hint
    assert last.read(decimal="exact")["big"].iloc[-1] == 10**20
    assert last.read(dtype_backend="pyarrow")["big"].iloc[-1] == 10**20


def test_a_task_holds_no_secret(shop, inside):
    pickled = pickle.dumps(shop.partitions(QUERY, n=2))
    for key, secret in inside.keys.values():
        assert secret.encode() not in pickled
        assert key.encode() not in pickled
    assert b"X-Amz" not in pickled


def test_a_task_knows_the_schema_and_the_settings(shop):
    shop.execute("USE shop")
    (task,) = shop.partitions("SELECT DATABASE() AS d, @@time_zone AS z, 1 AS k", on="k", n=3)
    assert task.read().loc[0, ["d", "z"]].to_list() == ["shop", "+02:00"]
    assert task.recipe.settings == SessionSettings(time_zone="+02:00")
    assert task.recipe.target == f"{shop.login.endpoint}"


def test_another_process_reads_a_task(shop):
    tasks = shop.partitions(QUERY, n=2)
    program = "import pickle, sys; print(len(pickle.load(sys.stdin.buffer).read()))"
    done = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps(tasks[1]), capture_output=True, check=True, timeout=100
    )
    assert int(done.stdout) == len(tasks[1].read())


def test_a_connection_that_nobody_can_make_again(db):
    with pytest.raises(OptionError, match="password or a session") as caught:
        db.partitions("SELECT 1 AS a", on="a")
    assert caught.value.cause == "connection-not-portable"


def test_each_count(shop):
    for n in (0, 1001):
        with pytest.raises(OptionError, match=f"n={n} is not valid"):
            shop.partitions(QUERY, n=n)
    assert len(shop.partitions("SELECT * FROM products", n=1000)) == len(shop.query("SELECT * FROM products"))
