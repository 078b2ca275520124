"""The DB clusters and instances that the credentials may see in a region, each as a row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.session import region_of
from rds_iam_magic.aws.targets.describe import describe_all

_NOT_RDS = ("docdb", "neptune")  # DocumentDB and Neptune answer RDS's describe calls, too


def describe_databases(session: Any, region: str | None = None) -> list[dict[str, Any]]:
    """All clusters, each followed by its instances, then the other instances, by their identifiers.

    A row has `identifier`, `role` (cluster, writer, reader or instance), `cluster` (of an instance, else ""), `engine`,
    `version`, `status`, `endpoint` with its port ("" while there is none), `iam` (whether IAM database authentication
    is on), `region`.

    Args:
        session: A boto3 session.
        region: The region; None for the session's.

    Raises:
        AwsError: RDS cannot be asked, for instance without permission.
        RegionError: No region is known.
    """
    region = region or region_of(session)
    with aws_call("listing the DB clusters and instances"):
        rows = _described(session, region)
    rows = [row for row in rows if not str(row.get("Engine", "")).startswith(_NOT_RDS)]
    clusters = [row for row in rows if "DBInstanceIdentifier" not in row]
    writers = {name for cluster in clusters for name in _writers(cluster)}
    entries = [_cluster(row) for row in clusters]
    entries += [_instance(row, writers) for row in rows if "DBInstanceIdentifier" in row]
    entries.sort(key=lambda entry: (entry["role"] == "instance", entry["cluster"] or entry["identifier"], _rank(entry)))
    return [{**entry, "region": region} for entry in entries]


def _described(session: Any, region: str) -> list[dict[str, Any]]:
    rows, denial = describe_all(session, region)
    if denial is not None:  # half a list would not look like one
        raise denial
    return rows


def _rank(entry: dict[str, Any]) -> tuple[int, str]:
    return ("cluster", "writer", "reader", "instance").index(entry["role"]), entry["identifier"]


def _writers(cluster: dict[str, Any]) -> Iterable[str]:
    return (
        str(member.get("DBInstanceIdentifier"))
        for member in cluster.get("DBClusterMembers", [])
        if member.get("IsClusterWriter")
    )


def _cluster(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "identifier": str(row["DBClusterIdentifier"]),
        "role": "cluster",
        "cluster": "",
        "status": str(row.get("Status") or ""),
        "endpoint": _address(row.get("Endpoint"), row.get("Port")),
        **_common(row),
    }


def _instance(row: dict[str, Any], writers: set[str]) -> dict[str, Any]:
    name, cluster = str(row["DBInstanceIdentifier"]), str(row.get("DBClusterIdentifier") or "")
    endpoint = row.get("Endpoint") or {}
    return {
        "identifier": name,
        "role": "instance" if not cluster else "writer" if name in writers else "reader",
        "cluster": cluster,
        "status": str(row.get("DBInstanceStatus") or ""),
        "endpoint": _address(endpoint.get("Address"), endpoint.get("Port")),
        **_common(row),
    }


def _common(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "engine": str(row.get("Engine") or ""),
        "version": str(row.get("EngineVersion") or ""),
        "iam": bool(row.get("IAMDatabaseAuthenticationEnabled")),
    }


def _address(host: object, port: object) -> str:
    return f"{host}:{port}" if host and port else str(host or "")
