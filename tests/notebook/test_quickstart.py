"""The code of docs/quickstart.md, run from top to bottom in the sandbox."""

import re
import textwrap
from pathlib import Path

import pandas as pd
import pytest

from tests.write_compared import TASKS

pytestmark = pytest.mark.slow  # servers and kernels

PAGE = Path(__file__).parents[2] / "docs" / "quickstart.md"


def blocks():
    """The cells of the page."""
    found = re.findall(r"^( *)```(?:python|sql)\n(.*?)^ *```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(text) for _, text in found]


def test_the_quickstart_runs(shell, sandbox, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    (stack,) = sandbox.client("cloudformation").describe_stacks(StackName="sandbox")["Stacks"]
    secret = next(each["OutputValue"] for each in stack["Outputs"] if each["OutputKey"] == "AuroraSecret")
    names = {
        "my-cluster": "sandbox",
        "my-master-secret": secret,
        "role/analysts": "role/analytics",
        "127.0.0.1:3307": f"127.0.0.1:{sandbox.server.port}",
    }
    shown = []
    try:
        for block in blocks():
            for name, of_the_sandbox in names.items():
                block = block.replace(name, of_the_sandbox)
            shown.append(shell.ok(block))
            assert "sent as it stands" not in shown[-1].output
    finally:
        with sandbox.server.root() as root:
            root.execute("DROP USER IF EXISTS 'analyst'@'%'")
        if any("--attach" in block for block in blocks()):
            sandbox.client("iam").delete_role_policy(RoleName="analytics", PolicyName="rds-iam-connect")
    frames = [cell.value for cell in shown if isinstance(cell.value, pd.DataFrame)]
    assert 803 in [frame.loc[0, "customers"] for frame in frames if "customers" in frame]
    assert len(pd.read_parquet("orders.parquet")) == 50_000
    assert type(shell.names["ax"]).__name__ == "Axes"


def test_the_commands_of_the_comparison_run(connected, scratch, tmp_path, monkeypatch):
    """docs/compared.md counts what works; its first task is to connect, and one writes, which needs another user."""
    assert scratch
    monkeypatch.chdir(tmp_path)
    connected.names["country"] = "JP"
    writing = [task for task in TASKS if task.ours.startswith("%rds_load ")]
    for task in TASKS[1:]:
        if task not in writing:
            connected.ok(task.ours)
    connected.names["targets"] = pd.DataFrame({"region": ["north"], "amount": [120]})
    connected.ok("%rds_iam_connect sandbox -u tester -d scratch")
    for task in writing:
        connected.ok(task.ours)
        connected.ok("%rds_sql DROP TABLE targets")
    assert len(writing) == 1
