"""`%load_ext` does nothing but register: no network, no file, no heavy import."""

import subprocess
import sys

SCRIPT = """
import socket, sys, os
from pathlib import Path
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

config = Config()
config.HistoryManager.enabled = False
shell = InteractiveShell(config=config)
home = Path(os.environ["HOME"])
before = sorted(home.rglob("*"))

def refuse(*arguments, **options):
    raise AssertionError("a socket was opened")

socket.socket = socket.create_connection = socket.getaddrinfo = refuse
shell.run_line_magic("load_ext", "rds_iam_magic")
assert "rds_iam_connect" in shell.magics_manager.magics["line"]
assert "rds_sql" in shell.magics_manager.magics["cell"]
heavy = sorted({"boto3", "botocore", "pandas", "pyarrow", "numpy", "pymysql", "certifi", "moto"} & set(sys.modules))
assert not heavy, heavy
shell.run_line_magic("rds_iam_connect", "--help")
assert not {"boto3", "pandas", "pyarrow"} & set(sys.modules)
assert sorted(home.rglob("*")) == before
"""


def test_loading_only_registers(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env={"HOME": str(tmp_path), "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
