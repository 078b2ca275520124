"""`python -m rds_iam_magic.sandbox`: the command, its end, and that nothing of it is left."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from rds_iam_magic.sandbox import Sandbox

COMMAND = [sys.executable, "-m", "rds_iam_magic.sandbox"]


@pytest.fixture
def running():
    """The command in the foreground, ready."""
    process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    printed = ""
    while "Ctrl-C stops it" not in printed:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        printed += line
    process.printed = printed
    yield process
    process.kill()
    process.communicate()


def parts_of(process):
    """Its server, its AWS side, its port and its folder."""
    children = psutil.Process(process.pid).children(recursive=True)
    port = int(re.search(r"RDS_IAM_MAGIC_VIA=127.0.0.1:(\d+)", process.printed)[1])
    folder = Path(re.search(r"AWS_CONFIG_FILE=(\S+)", process.printed)[1]).parent
    assert len(children) == 2
    assert folder.is_dir()
    return children, port, folder


def assert_gone(children, port, folder):
    _, alive = psutil.wait_procs(children, timeout=15)
    assert not alive
    assert not folder.exists()
    assert not any(c.laddr.port == port for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_in_order(running, number, code):
    parts = parts_of(running)
    running.send_signal(number)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == code
    assert errors == ""
    assert_gone(*parts)


def test_killed_it_leaves_nothing_either(running):
    parts = parts_of(running)
    running.kill()
    running.wait()
    deadline = time.monotonic() + 15
    while parts[2].exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert_gone(*parts)


def test_the_printed_environment_is_enough(running, tmp_path):
    """A shell that sources what is printed reaches the database."""
    script = f'{running.printed}\n{sys.executable} -c "{SCRIPT}"'
    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(["sh", "-c", script], env=clean, capture_output=True, text=True, check=False)
    assert done.stdout == "50000\n", done.stderr


SCRIPT = (
    "import rds_iam_magic as r; db = r.connect('sandbox', user='reader', database='shop'); "
    "print(db.query('SELECT COUNT(*) FROM orders').iloc[0, 0]); db.close()"
)


@pytest.mark.slow
def test_a_command_runs_inside_and_its_exit_code_is_ours():
    inside = "import os, sys; print(os.environ['RDS_IAM_MAGIC_VIA']); sys.exit(7)"
    done = subprocess.run([*COMMAND, "--", sys.executable, "-c", inside], capture_output=True, text=True, check=False)
    assert done.returncode == 7
    assert done.stdout.startswith("127.0.0.1:")
    assert done.stderr == ""


@pytest.mark.slow
def test_a_command_that_is_not_there():
    done = subprocess.run([*COMMAND, "--", "no-such-command"], capture_output=True, text=True, check=False)
    assert done.returncode == 127
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["serve"], ["--"], ["--port", "1"]])
def test_wrong_usage(arguments):
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("usage:")


def test_what_is_missing_is_said_in_one_line(tmp_path, monkeypatch):
    """On a machine without MariaDB: one line that names the packages."""
    from rds_iam_magic.sandbox import plugin

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(plugin, "_BIN", ())
    with pytest.raises(plugin.SandboxError) as caught:
        plugin.find_tools()
    assert "apt-get install mariadb-server-core" in str(caught.value)
    assert "brew install mariadb" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_run_side_by_side(sandbox):
    with Sandbox() as other:
        assert other.server.port != sandbox.server.port
        assert other.environment["AWS_ENDPOINT_URL"] != sandbox.environment["AWS_ENDPOINT_URL"]
        assert other.endpoint != sandbox.endpoint
        with other.server.root() as root:
            root.execute("CREATE DATABASE only_here")
        with sandbox.server.root() as root:
            root.execute("SHOW DATABASES LIKE 'only_here'")
            assert root.fetchall() == ()


def test_the_sample_data_is_the_same_every_time(sandbox):
    expected = {"customers": 4000, "products": 24, "orders": 50000, "order_lines": 96381}
    with sandbox.server.root() as root:
        for table, rows in expected.items():
            root.execute(f"SELECT COUNT(*) FROM shop.{table}")
            assert root.fetchone() == (rows,)
        root.execute("SELECT SUM(quantity * unit_price) FROM shop.order_lines")
        assert str(root.fetchone()[0]) == REVENUE
        root.execute("SELECT COUNT(*) FROM shop.customers WHERE country = 'JP' AND name REGEXP '[一-龯ぁ-ん]'")
        assert root.fetchone()[0] > 100
        root.execute("SELECT COUNT(email) < COUNT(*) FROM shop.customers")
        assert root.fetchone() == (1,)


REVENUE = "5183057.34"


JOINS = {
    "two tables": "SELECT COUNT(*) FROM orders o JOIN order_lines l ON l.order_id = o.id",
    "by a column without an index": "SELECT COUNT(*) FROM products p JOIN order_lines l ON p.unit_price = l.unit_price",
    "all tables": "SELECT c.country, p.category, SUM(l.quantity * l.unit_price) FROM customers c "
    "JOIN orders o ON o.customer_id = c.id JOIN order_lines l ON l.order_id = o.id "
    "JOIN products p ON p.id = l.product_id GROUP BY c.country, p.category",
    "a few of many": "SELECT COUNT(*) FROM customers c JOIN orders o ON o.customer_id = c.id "
    "JOIN order_lines l ON l.order_id = o.id WHERE c.city = 'Paris' AND o.status = 'returned'",
    "the other way round": "SELECT COUNT(*) FROM order_lines l, orders o, customers c "
    "WHERE l.order_id = o.id AND o.customer_id = c.id AND l.discount > 0.2",
}


def test_the_sample_data_has_statistics(sandbox):
    with sandbox.server.root() as root:
        root.execute("SELECT table_name, cardinality FROM mysql.table_stats WHERE db_name = 'shop'")
        assert dict(root.fetchall()) == {"customers": 4000, "products": 24, "orders": 50000, "order_lines": 96381}
        root.execute("SELECT COUNT(DISTINCT column_name) FROM mysql.column_stats WHERE db_name = 'shop'")
        assert root.fetchone()[0] > 15
        root.execute("SELECT table_name, n_rows > 0 FROM mysql.innodb_table_stats WHERE database_name = 'shop'")
        assert set(root.fetchall()) == {(name, 1) for name in ("customers", "products", "orders", "order_lines")}


@pytest.mark.parametrize("sql", JOINS.values(), ids=JOINS)
def test_joins_read_no_more_rows_than_they_need(sandbox, sql):
    """Measured in rows that the server reads, which no machine's speed changes."""
    with sandbox.server.root() as root:
        root.execute("USE shop")
        root.execute("FLUSH STATUS")
        root.execute(sql)
        root.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        assert sum(int(count) for _, count in root.fetchall()) < 1_000_000
