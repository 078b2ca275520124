"""The IAM policy that lets a principal connect as a database user.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
"""

from __future__ import annotations

from typing import Any

from rds_iam_magic.aws.discovery import Database, account_of


def connect_policy(database: Database, user: str) -> dict[str, Any]:
    """A policy document that allows `rds-db:connect` as `user`, on the database's *resource* id."""
    endpoint = database.endpoint
    arn_prefix = f"arn:{endpoint.partition}:rds-db:{endpoint.region}:{account_of(database)}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "rds-db:connect",
                "Resource": f"{arn_prefix}:dbuser:{database.resource_id}/{user}",
            }
        ],
    }
