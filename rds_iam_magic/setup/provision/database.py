"""`StackDatabase`: the database in a stack; whether it is protected, and what is kept of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rds_iam_magic.errors import AwsError, ProvisionError
from rds_iam_magic.setup.provision.calls import ask
from rds_iam_magic.setup.provision.stacks import Resource


@dataclass(frozen=True, slots=True)
class StackDatabase:
    """The cluster in a stack, or else its instance.

    Attributes:
        identifier: Its identifier.
        noun: RDS's word for it: `DBCluster` or `DBInstance`.
    """

    identifier: str
    noun: str

    def is_protected(self, session: Any) -> bool:
        """Whether deletion protection is on; one that is gone has none.

        Raises:
            AwsError: RDS cannot be asked.
        """
        gone = ProvisionError(f"{self.identifier} is gone.", cause="database-gone")
        call = "describe_db_clusters" if self._is_cluster else "describe_db_instances"
        part, wanted = f"{self.noun}s", {f"{self.noun}Identifier": self.identifier}
        refusals = dict.fromkeys(("DBClusterNotFoundFault", "DBInstanceNotFound"), gone)
        try:
            rows = ask(session, "rds", call, f"looking up {self.identifier}", wanted, part=part, refusals=refusals)
        except ProvisionError:
            return False
        return any(row.get("DeletionProtection") for row in rows[part])

    def snapshot_since(self, session: Any, when: dt.datetime) -> str:
        """A sentence about the snapshot that was made since then; its name, if that may be looked up; "" for none."""
        label, call = (
            ("DBCluster", "describe_db_cluster_snapshots") if self._is_cluster else ("DB", "describe_db_snapshots")
        )
        part, wanted = f"{label}Snapshots", {f"{self.noun}Identifier": self.identifier, "SnapshotType": "manual"}
        try:
            rows = ask(session, "rds", call, f"looking up the snapshots of {self.identifier}", wanted, part=part)[part]
        except AwsError:
            return "A snapshot of its database was kept."
        names = [
            str(row[f"{label}SnapshotIdentifier"])
            for row in rows
            if row.get("SnapshotCreateTime") is not None and row["SnapshotCreateTime"] >= when
        ]
        return f"The snapshot {names[-1]} was kept." if names else ""

    @property
    def _is_cluster(self) -> bool:
        return self.noun == "DBCluster"


def database_in(resources: Iterable[Resource]) -> StackDatabase | None:
    """The database among a stack's resources; None if it is not there."""
    ids = {
        resource.kind.rpartition("::")[2]: resource.id
        for resource in resources
        if resource.kind.startswith("AWS::RDS::")
    }
    return next((StackDatabase(ids[noun], noun) for noun in ("DBCluster", "DBInstance") if noun in ids), None)
