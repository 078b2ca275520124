"""Examples for each magic, which its help begins with: what to type, and what it does."""

from __future__ import annotations

from typing import NamedTuple

_WIDTH = 56  # of the lines whose comments begin in one column


class Example(NamedTuple):
    """A cell, or a line of one, and what it does; that is shown behind the first line, as a comment."""

    code: str
    what: str = ""


EXAMPLES: dict[str, tuple[Example, ...]] = {
    "%rds_iam_connect": (
        Example("%rds_iam_connect my-cluster -u analyst -d shop"),
        Example("%rds_iam_connect my-cluster -u analyst --ssh bastion", "through a tunnel"),
        Example("%rds_iam_connect my-cluster -u analyst --save prod", "keep the options"),
        Example("%rds_iam_connect --section prod", "connect with what was kept"),
        Example("%rds_iam_connect --stack my-stack -u analyst", "a stack's database"),
        Example("%rds_iam_connect prod", "make it current again"),
    ),
    "%%rds_sql": (
        Example("%rds_sql SELECT * FROM orders LIMIT 10"),
        Example("%%rds_sql recent <<\nSELECT * FROM orders WHERE ordered_at >= :since", "into the variable recent"),
        Example("%rds_sql prod -f report.sql", "a file, on connection prod"),
        Example("%rds_sql --to orders.parquet SELECT * FROM orders", "into a file"),
        Example("%%rds_sql --save japan\nSELECT * FROM customers WHERE country = 'JP'", "keep the query"),
        Example("%rds_sql --with japan SELECT COUNT(*) FROM japan", "read from it"),
        Example("%rds_sql --with mine=df SELECT * FROM orders JOIN mine USING (id)", "a DataFrame"),
        Example("%rds_sql --persist df new_table"),
        Example("%rds_sql --plot SELECT status, COUNT(*) AS n FROM orders GROUP BY status", "a chart"),
    ),
    "%rds_load": (
        Example("%rds_load df", "into a new table df"),
        Example("%rds_load df orders --append"),
    ),
    "%rds_iam_user": (
        Example("%rds_iam_user create analyst --target my-cluster --grant 'SELECT ON shop.*'"),
        Example("%rds_iam_user grant analyst --grant 'INSERT ON shop.orders' --dry-run", "show the SQL"),
        Example("%rds_iam_user list", "of the current connection's database"),
    ),
    "%rds_iam_policy": (
        Example("%rds_iam_policy analyst my-cluster", "print the policy"),
        Example("%rds_iam_policy analyst my-cluster --attach role/analysts --dry-run"),
    ),
    "%rds_iam_provision": (
        Example("%rds_iam_provision deploy team-db --from 10.0.0.0/8", "what it makes and costs"),
        Example("%rds_iam_provision deploy team-db --from 10.0.0.0/8 --yes", "make it"),
        Example("%rds_iam_provision status team-db"),
        Example("%rds_iam_provision delete team-db --yes"),
    ),
    "%rds_iam_enable": (Example("%rds_iam_enable my-cluster --now --wait"),),
    "%rds_iam_access": (
        Example("access = %rds_iam_access my-cluster"),
        Example("%rds_iam_access my-cluster --user analyst", "one database user"),
    ),
    "%rds_iam_doctor": (
        Example("%rds_iam_doctor my-cluster -u analyst"),
        Example("%rds_iam_doctor my-cluster -u analyst --share", "names masked, for others"),
        Example("%rds_iam_doctor my-cluster -u analyst --fix 1", "do what finding 1 says"),
        Example("%rds_iam_doctor", "in a notebook: what failed last"),
    ),
    "%rds_tables": (
        Example("%rds_tables"),
        Example("%rds_tables ord%", "names that begin with ord"),
        Example("tables = %rds_tables shop.*", "of the schema shop, as a DataFrame"),
    ),
    "%rds_columns": (
        Example("%rds_columns orders"),
        Example("%rds_columns shop.`order lines`", "another schema, a name with a space"),
    ),
    "%rds_preview": (Example("%rds_preview orders"), Example("%rds_preview shop.orders 100")),
    "%rds_ddl": (Example("%rds_ddl orders"),),
    "%rds_profile": (
        Example("%rds_profile orders"),
        Example("profile = %rds_profile orders --all", "no sample, however large it is"),
    ),
    "%rds_plot": (
        Example("%rds_plot orders status", "the rows for each value"),
        Example("%rds_plot orders ordered_at --color status", "in bins, by status"),
        Example("%rds_plot products category unit_price", "a box for each category"),
        Example("%rds_plot products weight_kg unit_price --kind scatter"),
    ),
    "%rds_explain": (
        Example("%rds_explain SELECT * FROM orders WHERE id = :wanted"),
        Example("%%rds_explain --analyze\nSELECT * FROM orders WHERE status = 'open'", "run it, with times"),
    ),
    "%rds_databases": (
        Example("%rds_databases"),
        Example("%rds_databases --aws --region eu-west-1", "clusters and instances"),
    ),
}
"""By the magics' names, as their grammars have them."""


def shown(magic: str) -> list[str]:
    """The lines of a magic's examples, as they are typed: what they do is a comment, which may be typed, too.

    A cell of several lines stands apart.
    """
    examples = EXAMPLES.get(magic, ())
    firsts = [len(example.code.partition("\n")[0]) for example in examples if example.what]
    width = max((length for length in firsts if length <= _WIDTH), default=0)
    blocks: list[list[str]] = [[]]  # lines, or the lines of one cell
    for code, what in examples:
        first, *others = code.split("\n")
        lines = [f"{first:<{width}}  # {what}" if what else first, *others]
        if others:
            blocks += [lines, []]
        else:
            blocks[-1] += lines
    return "\n\n".join("\n".join(block) for block in blocks if block).splitlines()
