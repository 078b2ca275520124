"""A query as a dask DataFrame, read by the processes of a cluster."""

import subprocess
import sys
import textwrap

import pytest

import rds_iam_magic
from rds_iam_magic.errors import OptionError

pytestmark = pytest.mark.slow  # servers and kernels

CLUSTER = """
    import rds_iam_magic
    from dask.distributed import Client, LocalCluster

    if __name__ == "__main__":
        with rds_iam_magic.connect("sandbox", user="reader", database="shop") as db:
            frame = db.to_dask("SELECT * FROM orders", n=6)
            whole = db.query("SELECT * FROM orders")
        assert (frame.dtypes == whole.dtypes).all()
        assert frame.npartitions == 6
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
            assert frame.compute().reset_index(drop=True).equals(whole)
            sums = frame.groupby("customer_id")["id"].sum().compute().sort_index()
        assert sums.equals(whole.groupby("customer_id")["id"].sum().sort_index())
        print("equal")
"""


@pytest.mark.usefixtures("inside")
@pytest.mark.slow
def test_a_cluster_of_two_processes(tmp_path):
    """In a process of its own: multiprocessing leaves one behind that tracks its resources."""
    script = tmp_path / "cluster.py"
    script.write_text(textwrap.dedent(CLUSTER))
    done = subprocess.run(
        [sys.executable, "-W", "error::rds_iam_magic.RdsIamWarning", script],
        capture_output=True, text=True, timeout=170, check=False,
    )  # fmt: skip
    assert done.stdout == "equal\n", done.stderr


@pytest.mark.usefixtures("inside")
def test_without_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask.dataframe", None)
    with rds_iam_magic.connect("sandbox", user="reader", database="shop") as db:
        with pytest.raises(OptionError, match="not installed") as caught:
            db.to_dask("SELECT * FROM orders")
    assert caught.value.cause == "dask-missing"
    assert "rds-iam-magic[dask]" in caught.value.hint
