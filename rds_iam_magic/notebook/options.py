"""The magic lines: text → frozen dataclasses. What a line may say stands here once; `--help` is made from it."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.database.settings import Settings
from rds_iam_magic.database.way import CONNECT_TIMEOUT, Way
from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammar import Grammar, Line, Option, number, one_of, whole

if TYPE_CHECKING:
    from rds_iam_magic.database.result import DecimalMode, DtypeBackend
    from rds_iam_magic.setup.users import Grant

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
    Several statements run in order, each result is shown, and the last is the cell's value; one that fails ends the
    cell with an error.

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


@dataclass(frozen=True, slots=True)
class ConnectLine:
    """What `%rds_iam_connect` is to do: connect, name, list or close."""

    target: str | None
    user: str | None
    database: str | None
    port: int | None
    alias: str | None
    way: Way
    settings: Settings
    list_all: bool
    close: str | None


@dataclass(frozen=True, slots=True)
class SqlLine:
    """What `%rds_sql` is to run, where, and what becomes of the result."""

    alias: str | None
    sql: str
    variable: str | None
    show: bool
    quiet: bool = False
    limit: int | None = None
    type: str = "pandas"
    dtype_backend: DtypeBackend | None = None
    decimal: DecimalMode = "float"
    to: str | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class UserLine:
    """What `%rds_iam_user` is to create."""

    name: str
    secret: str
    grants: list[Grant]
    host: str
    target: str | None
    way: Way


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """Whom `%rds_iam_policy` is for."""

    user: str
    target: str | None
    way: Way


def parse_connect(text: str) -> ConnectLine | None:
    """Read the line of `%rds_iam_connect`; None when help is asked for.

    Raises:
        OptionError: The line cannot be understood.
    """
    line = CONNECT.parse(text)
    if "help" in line.flags:
        return None
    _at_most(line, 1, CONNECT, "target")
    _check_connect(line)
    return ConnectLine(
        target=line.words[0] if line.words else None,
        user=line.get("user"),
        database=line.get("database"),
        port=whole(line.get("port"), "port", most=65535),
        alias=line.get("alias"),
        way=_way(line),
        settings=_settings(line),
        list_all="connections" in line.flags,
        close=line.get("close"),
    )


def _check_connect(line: Line) -> None:
    """Refuse what would go unheard: options beside naming, listing or closing a connection are not applied to it."""
    given = sorted({*line.values, *line.flags})
    kind = next((key for key in ("connections", "close") if key in given), None)
    if kind is not None and (len(given) > 1 or line.words):
        raise OptionError(f"--{kind} stands alone.", "Leave the rest out, or put it on a line of its own.")
    if kind is None and given and (not line.words or "user" not in given):
        options = ", ".join(f"--{key.replace('_', '-')}" for key in given)
        raise OptionError(
            f"{options} goes with a new connection, which needs a target and a user.",
            "Write %rds_iam_connect TARGET -u USER, then the options; they change nothing on a held connection.",
        )


_ASSIGN = re.compile(r"\s*(\S+?)?\s*(=?<<)(?:\s|\Z)")


def parse_sql(text: str, body: str | None, aliases: Collection[str]) -> SqlLine | None:
    """Read the line of `%%rds_sql`, or of `%rds_sql` when there is no body; None when help is asked for.

    Args:
        text: What stands behind the magic's name.
        body: The cell's body; None for the line magic, whose SQL stands on the line.
        aliases: The held connections' names; a first word that is one of them is the alias.

    Raises:
        OptionError: The line cannot be understood.
    """
    line = SQL.parse(text, words_end_options=True)
    if "help" in line.flags:
        return None
    alias, rest = _take_alias(line.rest, aliases, in_cell=body is not None)
    variable, shows, rest = _take_variable(rest)
    more = SQL.parse(rest, words_end_options=True)  # options may follow `VAR <<` too
    given = more.get("out") or line.get("out")
    if variable and given:
        raise OptionError(f"The result is assigned twice: {variable} << and -o {given}.", "Keep one of them.")
    if body is not None and more.rest:
        raise _stray(more.rest, aliases)
    name = variable or given
    if name is not None:
        check_variable(name)
    flags, values = line.flags | more.flags, line.values | more.values
    backend = one_of(values.get("dtype_backend"), "dtype-backend", ("numpy_nullable", "pyarrow"))
    parsed = SqlLine(
        alias=alias,
        sql=more.rest if body is None else body,
        variable=name,
        show=(shows or name is None) and "quiet" not in flags,
        quiet="quiet" in flags,
        limit=whole(values.get("limit"), "limit"),
        type=one_of(values.get("type"), "type", ("pandas", "arrow", "polars")) or "pandas",
        dtype_backend=backend,  # type: ignore[arg-type] # one_of has checked it
        decimal=one_of(values.get("decimal"), "decimal", ("float", "exact")) or "float",  # type: ignore[arg-type] # as above
        to=values.get("to"),
        overwrite="overwrite" in flags,
    )
    _check_together(parsed)
    return parsed


def _check_together(line: SqlLine) -> None:
    """Refuse options that do not go together, rather than leave one of them unheard."""
    if line.overwrite and line.to is None:
        raise OptionError("--overwrite is for --to FILE.", "Name the file with --to, or leave --overwrite out.")
    if line.type != "pandas" and (line.dtype_backend or line.decimal != "float"):
        raise OptionError(
            f"--dtype-backend and --decimal are for pandas; {line.type} has exact types anyway.", "Leave them out."
        )
    if line.to is not None and (line.variable or line.type != "pandas" or line.dtype_backend):
        raise OptionError("--to writes a file and gives no DataFrame.", "Leave the variable and the types out.")


def parse_user(text: str) -> UserLine | None:
    """Read the line of `%rds_iam_user`; None when help is asked for.

    Raises:
        OptionError: The line cannot be understood.
    """
    from rds_iam_magic.setup.users import parse_grant

    line = USER.parse(text)
    if "help" in line.flags:
        return None
    if len(line.words) != 2 or line.words[0] != "create":
        came = f", not: {' '.join(line.words)}" if line.words else ""
        raise OptionError(f"%rds_iam_user needs: create NAME --secret SECRET_ID{came}.", "See %rds_iam_user --help.")
    secret = line.get("secret")
    if not secret:
        raise OptionError("The master user's secret is missing.", "Add --secret with its name or ARN.")
    return UserLine(
        name=line.words[1],
        secret=secret,
        grants=[parse_grant(grant) for grant in line.lists.get("grant", [])],
        host=line.get("host") or "%",
        target=line.get("target"),
        way=_way(line),
    )


def parse_policy(text: str) -> PolicyLine | None:
    """Read the line of `%rds_iam_policy`; None when help is asked for.

    Raises:
        OptionError: The line cannot be understood.
    """
    line = POLICY.parse(text)
    if "help" in line.flags:
        return None
    _at_most(line, 1, POLICY, "user")
    if not line.words:
        raise OptionError("The database user is missing.", "Name it: %rds_iam_policy USER.")
    return PolicyLine(line.words[0], line.get("target"), _way(line))


def check_variable(name: str) -> None:
    """Refuse what is not a variable's name.

    Raises:
        OptionError: It is not one.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise OptionError(f"{name!r} is not a variable's name.", "Write it like: orders << .")


def _way(line: Line) -> Way:
    return Way(
        region=line.get("region"),
        profile=line.get("profile"),
        via=line.get("via"),
        ca=line.get("ca"),
        role_arn=line.get("role_arn"),
        external_id=line.get("external_id"),
        connect_timeout=number(line.get("connect_timeout"), "connect-timeout") or CONNECT_TIMEOUT,
    )


def _settings(line: Line) -> Settings:
    if {"autocommit", "no_autocommit"} <= line.flags:
        raise OptionError("--autocommit and --no-autocommit say the opposite.", "Keep one of them.")
    autocommit = True if "autocommit" in line.flags else False if "no_autocommit" in line.flags else None
    return Settings(
        timeout=number(line.get("timeout"), "timeout"),
        read_only="read_only" in line.flags,
        safe_updates="safe_updates" in line.flags,
        time_zone=line.get("time_zone"),
        autocommit=autocommit,
    )


def _at_most(line: Line, count: int, grammar: Grammar, what: str) -> None:
    if len(line.words) > count:
        raise OptionError(
            f"{grammar.magic} takes one {what}; {line.words[count]!r} is one too many.", f"See {grammar.magic} --help."
        )


def _take_alias(rest: str, aliases: Collection[str], *, in_cell: bool) -> tuple[str | None, str]:
    """The alias in front of the rest, if there is one; on a cell's line any first word is meant as one."""
    first, _, behind = rest.partition(" ")
    if not first or _ASSIGN.match(rest):
        return None, rest
    if first in aliases or (in_cell and not first.startswith("-")):
        return first, behind.strip()
    return None, rest


def _take_variable(rest: str) -> tuple[str | None, bool, str]:
    """`VAR <<` or `VAR =<<` in front of the rest: the variable, whether it is shown too, what follows."""
    match = _ASSIGN.match(rest)
    if match is None:
        return None, False, rest
    if match[1] is None:
        raise OptionError(f"The variable in front of {match[2]} is missing.", "Write it like: orders << .")
    return match[1], match[2] == "=<<", rest[match.end() :].strip()


def _stray(rest: str, aliases: Collection[str]) -> OptionError:
    held = f"Held: {', '.join(aliases)}." if aliases else "No connection is held."
    return OptionError(f"%%rds_sql does not understand {rest!r} on its line; the SQL goes below it.", held)
