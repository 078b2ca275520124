"""`python -m benchmarks.targets [ROUNDS]`: calls to AWS, and seconds to the first row, by how the database is named.

In a sandbox, whose AWS is on this machine: what a call takes there is far less than on the way to a region, where tens
of milliseconds come on top for each. The first connection, which fetches the CA bundle, is not counted.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from typing import Any
from unittest.mock import patch

import rds_iam_magic
from rds_iam_magic import connecting
from rds_iam_magic.sandbox import Sandbox

ROUNDS = 5


def targets(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    """The arguments of `connect`, by what is named."""
    rds = sandbox.client("rds")
    (cluster,) = rds.describe_db_clusters()["DBClusters"]
    return {
        "host name": {"target": sandbox.hosts[0]},
        "ARN of a cluster": {"target": cluster["DBClusterArn"]},
        "resource id": {"target": cluster["DbClusterResourceId"]},
        "identifier of a cluster": {"target": "sandbox"},
        "identifier of an instance in a cluster": {"target": "sandbox-1"},
        "name of a proxy": {"target": "sandbox-proxy"},
        "name of a global database": {"target": "worldwide"},
        "`--stack`": {"stack": "sandbox"},
        "`--secret`": {"secret": "sandbox/master"},
        "`--secret`, managed by RDS": {"secret": cluster["MasterUserSecret"]["SecretArn"]},
        "host name, `--reader`": {"target": sandbox.hosts[0], "reader": True},
        "identifier, `--endpoint`": {"target": "sandbox", "endpoint": "analytics"},
    }


def measure(options: dict[str, Any]) -> tuple[int, float]:
    """The calls to AWS and the seconds of one connection, to its first row."""
    calls: list[str] = []
    open_session = connecting.open_session

    def counted(**named: Any) -> Any:
        session = open_session(**named)
        session.events.register("before-call", lambda model, **_: calls.append(model.name))
        return session

    with patch.object(connecting, "open_session", counted):
        begun = time.perf_counter()
        with rds_iam_magic.connect(user="reader", database="shop", notify=str, **options) as db:
            db.query("SELECT 1")
            return len(calls), time.perf_counter() - begun


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with Sandbox() as sandbox, patch.dict(os.environ, sandbox.environment):
        named = targets(sandbox)
        measure(named["host name"])
        print("| named by | calls to AWS | seconds to the first row |\n|---|---|---|")
        for what, options in named.items():
            runs = [measure(options) for _ in range(rounds)]
            print(f"| {what} | {runs[0][0]} | {statistics.median(seconds for _, seconds in runs):.2f} |")


if __name__ == "__main__":
    main()
