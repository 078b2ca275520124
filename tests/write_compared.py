"""Write docs/compared.md from the commands below: `python -m tests.write_compared`, or `make docs`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PATH = Path(__file__).parents[1] / "docs" / "compared.md"


@dataclass(frozen=True)
class Task:
    """What is typed for one task: here, in jupysql as it comes, and in jupysql with `SETTINGS`, if that differs.

    An empty line begins a new cell.
    """

    name: str
    ours: str
    theirs: str
    with_settings: str = ""

    @property
    def counts(self) -> tuple[int, int, int]:
        """Characters to type; the end of a line is one, the end of a cell too."""
        ours, theirs, changed = (
            len(text.replace("\n\n", "\n")) for text in (self.ours, self.theirs, self.with_settings or self.theirs)
        )
        return ours, theirs, changed


SETTINGS = """\
%config SqlMagic.autopandas = True
%config SqlMagic.named_parameters = "enabled"
"""

TASKS = (
    Task(
        "connect, without a password, over verified TLS",
        "%load_ext rds_iam_magic\n%rds_iam_connect my-cluster -u analyst -d shop",
        """\
%load_ext sql
import boto3, sqlalchemy as sa
host = "my-cluster.cluster-abc123.eu-central-1.rds.amazonaws.com"
token = boto3.client("rds").generate_db_auth_token(host, 3306, "analyst")
url = sa.URL.create("mysql+pymysql", "analyst", token, host, 3306, "shop")
engine = sa.create_engine(url, connect_args={"ssl": {"ca": "global-bundle.pem"}})
%sql engine""",
    ),
    Task(
        "a query",
        "%rds_sql SELECT name, city FROM customers",
        "%sql SELECT name, city FROM customers\n\n_.DataFrame()",
        "%sql SELECT name, city FROM customers",
    ),
    Task(
        "a query with a variable",
        "%rds_sql SELECT COUNT(*) FROM customers WHERE country = :country",
        "%sql SELECT COUNT(*) FROM customers WHERE country = '{{country}}'\n\n_.DataFrame()",
        "%sql SELECT COUNT(*) FROM customers WHERE country = :country",
    ),
    Task(
        "a result into a variable",
        "%rds_sql orders << SELECT * FROM orders",
        "%sql orders << SELECT * FROM orders\norders = orders.DataFrame()",
        "%sql orders << SELECT * FROM orders",
    ),
    Task("the tables", "%rds_tables", "%sqlcmd tables"),
    Task("a table's columns", "%rds_columns orders", "%sqlcmd columns -t orders"),
    Task(
        "a table's first rows",
        "%rds_preview orders",
        "%sql SELECT * FROM orders LIMIT 5\n\n_.DataFrame()",
        "%sql SELECT * FROM orders LIMIT 5",
    ),
    Task(
        "a result into a file",
        "%rds_sql --to orders.csv SELECT * FROM orders",
        '%sql SELECT * FROM orders\n\n_.csv("orders.csv")',
        '%sql SELECT * FROM orders\n\n_.to_csv("orders.csv", index=False)',
    ),
    Task("a DataFrame into a table", "%rds_load targets", "%sql --persist targets"),
    Task("a statement's plan", "%rds_sql -e SELECT * FROM orders", "%sql EXPLAIN SELECT * FROM orders"),
    Task("a chart of a column's values", "%rds_plot orders status", "%sqlplot bar -t orders -c status"),
    Task("a table's profile", "%rds_profile orders", "%sqlcmd profile -t orders"),
)

SHORTER_THERE = ("a query", "a query with a variable", "a result into a variable")
"""Where jupysql takes fewer characters once it has its settings: `%sql` is shorter than `%rds_sql`."""

TEXT = """\
# What is typed, beside jupysql

Characters for the commonest tasks, each typed in the shortest way that the documentation has, here and in
[jupysql](https://jupysql.ploomber.io) 0.11.1. Rows are wanted as a pandas DataFrame. This page is generated from the
commands below it (`make docs`), and a test holds it to that.

| task | here | jupysql | jupysql, with its settings |
|---|---:|---:|---:|
{rows}

*With its settings* is after these two lines ({settings} characters, not counted above; they can stand in a
`pyproject.toml` instead), which turn its results into DataFrames and bind `:name`:

```python
{lines}
```

Then the tasks marked with \\* take {difference} characters less there, since `%sql` is shorter than `%rds_sql`.

What the numbers do not say: jupysql's token ends after 15 minutes, after which it cannot open a lost connection again;
the certificates (`global-bundle.pem`) have to be downloaded first; `'{{{{country}}}}'` pastes the value into the SQL.
Its `%sqlcmd` shows tables that are no DataFrames.

{commands}
"""


def text() -> str:
    """The whole page."""
    return TEXT.format(
        rows="\n".join(map(_row, TASKS)),
        settings=len(SETTINGS),
        lines=SETTINGS.rstrip(),
        difference=len("%rds_sql") - len("%sql"),
        commands="\n\n".join(map(_commands, TASKS)),
    )


def _row(task: Task) -> str:
    ours, theirs, changed = task.counts
    mark = " \\*" if task.name in SHORTER_THERE else ""
    return f"| {task.name} | {ours} | {theirs} | {changed}{mark} |"


def _commands(task: Task) -> str:
    blocks = [f"## {task.name[0].upper()}{task.name[1:]}", "Here:", _block(task.ours), "jupysql:", _block(task.theirs)]
    if task.with_settings:
        blocks += ["jupysql, with its settings:", _block(task.with_settings)]
    return "\n\n".join(blocks)


def _block(command: str) -> str:
    return f"```python\n{command}\n```"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
