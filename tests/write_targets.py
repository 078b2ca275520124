"""Write docs/targets.md from the table of ways: `python -m tests.write_targets`, or `make docs`."""

from __future__ import annotations

from pathlib import Path

from rds_iam_magic.aws.targets.ways import WAYS
from rds_iam_magic.hints import Interface, spell

PATH = Path(__file__).parents[1] / "docs" / "targets.md"

TEXT = """\
# How to name a database

`%rds_iam_connect` takes any of these as TARGET, and `rds_iam_magic.connect()`, `pymysql_connect()` and
`sqlalchemy_engine()` as their `target`; so does, but for the URL, `--target` of `%rds_iam_policy` and `%rds_iam_user`.
The first row that fits counts. The table is the code's own, and each of its rows is a test: target, endpoint, region,
calls.

| you write | recognised by | calls to AWS |
|---|---|---|
{rows}

Whatever is looked up must be a MySQL or MariaDB database with IAM authentication on that can be connected to; if not,
the error says what it lacks. A look-up goes on past what your credentials may not describe, and only if nothing is
found is that told, with the permission that is missing. So an analyst may describe clusters only, or nothing at all: a
host name takes no call.

Where the endpoint is not what you wrote, or goes by another name, a line says so: for a stack, a secret, a global
database, and a name of your own.

## Another endpoint of the same database

```
%rds_iam_connect my-cluster -u analyst --reader
%rds_iam_connect my-cluster -u analyst --endpoint analytics
```

`--reader` is the cluster's reader endpoint, also for one of its instances; of a proxy, its read-only endpoint. An
instance of its own has none. `--endpoint NAME` is a custom endpoint of the cluster, or a further one of the proxy
(`DescribeDBProxyEndpoints`). With the host name of a cluster, `--reader` takes no call.

## A stack or a secret

```
%rds_iam_connect --stack my-stack -u analyst -d shop
%rds_iam_connect --secret my-master-secret -u analyst
%rds_iam_user create analyst --stack my-stack --grant 'SELECT ON shop.*'
%rds_iam_policy analyst --stack my-stack
```

They stand in place of the target. A stack that has the outputs `AuroraEndpoint`, `AuroraPort` and `AuroraSecret` (the
secret's name or its ARN) gives all that `%rds_iam_user` needs. In AWS's sample they are in the stack `BASE-output`, and
the database is in `BASE-database`: either will do. The schema that a secret names is the default database; its password
is not used for anything.

## Databases that pause or are not there yet

`--wait` waits for a database that is being created, started or modified.

Aurora Serverless with a minimum capacity of 0 pauses while nobody is connected. Connecting by its identifier waits
until it has resumed; by host name or `--stack`, add `--connect-timeout 60`. An open connection keeps it awake, and so
costs: `--close-idle 10` closes the session after 10 minutes without a statement, unless it holds a transaction,
temporary tables or the like, and the next statement opens a new one.

## What moves

The writer of a global database may change to another cluster in another region, and a name of your own may be made to
lead to another database. Both are found anew for each session: after a switchover, the next statement that opens one
is signed for the new writer, in its region, and a line says so. If AWS cannot be asked just then, the last endpoint is
tried. A tunnel of the connection's own (`--ssh`, `--ssm`) leads to the endpoint of the time of connecting; a line says
so.

## A name of your own

A token cannot be signed for `db.example.com`, and no certificate of RDS is for it. The system's resolver follows the
CNAMEs of it, to the first name that is RDS's; the token and TLS are for that one. On Linux (glibc) all of them are
known; where a resolver gives the last one only, that may be an instance instead of its cluster. For tunnels and
addresses, give the endpoint's name, and the address behind `--via`.
"""


def text() -> str:
    """The whole page."""
    rows = [" | ".join(spell(cell, Interface.NOTEBOOK, {}) for cell in (w.says, w.recognised, w.calls)) for w in WAYS]
    return TEXT.format(rows="\n".join(f"| {row} |" for row in rows))


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
