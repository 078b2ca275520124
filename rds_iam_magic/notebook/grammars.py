"""What each magic's line may say: a table of its options, from which parsing and `--help` are made."""

from __future__ import annotations

from rds_iam_magic.connect_options import CONNECT_TIMEOUT
from rds_iam_magic.notebook.grammar import Grammar, Option

_WAY = (
    Option("region", "AWS region; else the host name's, else the AWS configuration's.", metavar="REGION"),
    Option("profile", "AWS profile; else the default chain of credentials.", metavar="PROFILE"),
    Option("role-arn", "Role to assume first, for a database of another account.", metavar="ARN"),
    Option("external-id", "What that role's trust policy asks for.", metavar="ID"),
    Option(
        "via",
        "Dial this instead of the endpoint: the near end of a tunnel. TLS is verified for the endpoint all the same. "
        "RDS_IAM_MAGIC_VIA is the default.",
        metavar="HOST[:PORT]",
    ),
    Option("ca", "CA bundle, for machines without internet; RDS_IAM_MAGIC_CA is the default.", metavar="PATH"),
    Option("connect-timeout", f"Seconds to connect, and to reconnect; {CONNECT_TIMEOUT:g} by default.", metavar="S"),
)

CONNECT = Grammar(
    "%rds_iam_connect",
    ("TARGET -u USER [-d DATABASE] [options]", "[ALIAS]", "--connections | --close ALIAS"),
    """
    Connect to RDS or Aurora (MySQL, MariaDB) without a password: your AWS credentials become a 15-minute token, and
    TLS is verified with the RDS CA bundle before it is sent. The connection is held; %%rds_sql uses it.

    TARGET is the identifier of a DB cluster or instance, or the host name of its endpoint. Several connections can be
    held, each under an alias; the last one connected or named is the current one. ALIAS alone makes that one current;
    nothing at all says which one is.

    %rds_iam_connect my-cluster -u analyst -d sales
    %rds_iam_connect my-cluster -u analyst --via 127.0.0.1:3307       through a tunnel
    """,
    (
        Option("user", "Database user, made with AWSAuthenticationPlugin; case matters.", short="u", metavar="USER"),
        Option("database", "Default database (schema).", short="d", metavar="DATABASE"),
        Option("port", "The endpoint's port, if not 3306 (a tunnel's port is in --via).", short="p", metavar="PORT"),
        *_WAY,
        Option("alias", "Name of the connection; else the target's identifier.", short="A", metavar="ALIAS"),
        Option("timeout", "Seconds after which a statement is ended on the server.", metavar="S"),
        Option("read-only", "Transactions may only read."),
        Option("safe-updates", "UPDATE and DELETE need a key or a LIMIT."),
        Option("time-zone", "How TIMESTAMP values are shown, as +00:00 or a name.", metavar="ZONE"),
        Option("autocommit", "Each statement is its own transaction."),
        Option("no-autocommit", "Statements gather in a transaction until COMMIT."),
        Option("connections", "List the held connections.", short="l"),
        Option("close", "Close a held connection.", short="x", metavar="ALIAS"),
    ),
)

SQL = Grammar(
    "%%rds_sql",
    ("[ALIAS] [VAR <<] [options]   (the SQL in the cell's body)", "[ALIAS] [VAR <<] [options] SELECT …"),
    """
    Run SQL on a held connection. Rows come back as a pandas DataFrame whose dtypes follow from the columns'
    declarations; other statements give the number of rows that they changed. The SQL reaches the server as written.
    Several statements run in order, each result is shown when it has come, and the last is the cell's value; one that
    fails ends the cell with an error. A statement with several result sets, such as CALL, has the last of them as its
    value. On the line of %%rds_sql itself, "-- …", "# …" and "/* … */" are comments.

    VAR << (or -o VAR) assigns instead of showing; VAR =<< does both. --to FILE writes the rows to a file instead, as
    they come, so that they need not fit into memory.
    """,
    (
        Option("out", "Assign the result to VAR instead of showing it.", short="o", metavar="VAR"),
        Option("quiet", "Show nothing and return nothing; VAR << still assigns.", short="q"),
        Option("limit", "Read N rows at most, then end the query.", metavar="N", aliases=("maxrows", "max-results")),
        Option("type", "What rows come back as: pandas (the default), arrow or polars.", metavar="TYPE"),
        Option("dtype-backend", "numpy_nullable or pyarrow, as pandas.read_sql has it.", metavar="BACKEND"),
        Option("decimal", "DECIMAL as float (the default) or exact, digit for digit.", metavar="MODE"),
        Option("to", "Write to FILE: .parquet, .csv, .csv.gz or .arrow; s3:// too.", metavar="FILE"),
        Option("overwrite", "With --to: replace a file of that name."),
    ),
)

USER = Grammar(
    "%rds_iam_user",
    ("create NAME --secret SECRET_ID --grant 'SELECT ON shop.*' [--host '%'] [options]",),
    """
    Create a database user that logs in with IAM: AWSAuthenticationPlugin, REQUIRE SSL, and grants. It is done as the
    master user, whose password is read from Secrets Manager, used over verified TLS, and never shown. Run again it
    changes nothing. A user of that name who has a password is left alone.
    """,
    (
        Option("secret", "The master user's secret: its name or ARN.", metavar="SECRET_ID"),
        Option(
            "grant",
            "What the user may do; can be given several times.",
            metavar="'PRIVILEGES ON SCHEMA.TABLE'",
            many=True,
        ),
        Option("host", "Host pattern that the user connects from; '%' by default.", metavar="PATTERN"),
        Option("target", "Where to connect, if the secret does not say.", metavar="TARGET"),
        *_WAY,
    ),
)

POLICY = Grammar(
    "%rds_iam_policy",
    ("USER [--target TARGET] [options]",),
    """
    Show the IAM policy that lets a principal connect as the database user USER: with the resource id that RDS wants,
    which is neither the identifier nor the host name. It is for the current connection's database, or for TARGET.
    """,
    (
        Option("target", "Identifier of a DB cluster or instance, or its host name.", metavar="TARGET"),
        *(option for option in _WAY if option.name in {"region", "profile", "role-arn", "external-id"}),
    ),
)

GRAMMARS = (CONNECT, SQL, USER, POLICY)
