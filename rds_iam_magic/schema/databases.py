"""The schemas that a user sees on the server, and the clusters and instances that AWS credentials see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rds_iam_magic.schema.asking import Asks
from rds_iam_magic.schema.inventory import describe_databases

if TYPE_CHECKING:
    import pandas as pd

SYSTEM = "('information_schema', 'mysql', 'performance_schema', 'sys')"
"""The servers' own schemas, as a list in SQL."""


def list_schemas(db: Asks) -> pd.DataFrame:
    """The schemas, the servers' own last; see `SchemaReads.databases`."""
    return db.query(
        "SELECT s.SCHEMA_NAME AS `schema`, COUNT(t.TABLE_NAME) AS tables, s.DEFAULT_COLLATION_NAME AS `collation` "  # noqa: S608 - a constant
        "FROM information_schema.SCHEMATA s LEFT JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = s.SCHEMA_NAME "
        "GROUP BY s.SCHEMA_NAME, s.DEFAULT_COLLATION_NAME "
        f"ORDER BY s.SCHEMA_NAME IN {SYSTEM}, s.SCHEMA_NAME"
    )


def list_on_aws(session: Any, region: str | None = None) -> pd.DataFrame:
    """The clusters and instances of a region; see `SchemaReads.databases`.

    Args:
        session: A boto3 session.
        region: The region; None for the session's.

    Raises:
        AwsError: They cannot be listed, for instance without permission.
        RegionError: No region is known.
    """
    import pandas as pd

    columns = ["identifier", "role", "cluster", "engine", "version", "status", "endpoint", "iam", "region"]
    frame = pd.DataFrame(describe_databases(session, region), columns=columns)
    return frame.astype({name: "bool" if name == "iam" else "str" for name in columns}).replace({"cluster": {"": None}})
