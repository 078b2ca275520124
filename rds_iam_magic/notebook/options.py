"""The magic lines: text → frozen dataclasses."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rds_iam_magic.aws.endpoint import Destination, check_target, is_login, is_plain_url, login_refused, read_url
from rds_iam_magic.connect_options import ConnectOptions, TargetOptions, check_named
from rds_iam_magic.errors import OptionError
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.notebook import sqltext
from rds_iam_magic.notebook.fields import read_fields
from rds_iam_magic.notebook.frames.lines import IF_EXISTS, LoadLine, frames_of, load_of, queries_of
from rds_iam_magic.notebook.grammar import Grammar, Line, one_of, whole, without_comments
from rds_iam_magic.notebook.grammars import CONNECT, DOCTOR, GRAMMARS, SQL
from rds_iam_magic.notebook.plots.lines import plot_of, refuse_unknown_kind
from rds_iam_magic.sections import check_section_name, with_section

if TYPE_CHECKING:
    from rds_iam_magic.charts.options import PlotOptions
    from rds_iam_magic.results.formats import DecimalMode, DtypeBackend, ResultType


@dataclass(frozen=True, slots=True)
class ConnectLine:
    """A parsed `%rds_iam_connect` line: connect, name, list or close."""

    target: str | None
    user: str | None
    database: str | None
    port: int | None
    alias: str | None
    options: ConnectOptions
    settings: SessionSettings
    list_all: bool
    close: str | None
    where: TargetOptions = TargetOptions()  # noqa: RUF009 - frozen
    section: str | None = None
    save: str | None = None


@dataclass(frozen=True, slots=True)
class SqlLine:
    """A parsed `%rds_sql` line: what to run, where, and what to do with the result."""

    alias: str | None
    sql: str
    variable: str | None
    show: bool
    quiet: bool = False
    limit: int | None = None
    type: ResultType = "pandas"
    dtype_backend: DtypeBackend | None = None
    decimal: DecimalMode = "float"
    to: str | None = None
    overwrite: bool = False
    parallel: int | None = None
    on: str | None = None
    consistent: bool = False
    params: str | None = None
    bind: bool = True
    dry_run: bool = False
    jinja: bool = False
    plot: PlotOptions | None = None
    load: LoadLine | None = None
    frames: Mapping[str, str] = field(default_factory=dict)  # the variables, by the names of the tables
    file: str | None = None
    save: str | None = None
    queries: tuple[str, ...] = ()
    explain: bool = False
    list_saved: bool = False


def parse_connect(text: str) -> ConnectLine | None:
    """Read the line of `%rds_iam_connect`; None when help is asked for.

    Raises:
        OptionError: The line cannot be understood.
    """
    line = parse_line(CONNECT, text)
    if "help" in line.flags:
        return None
    at_most(line, 1, CONNECT, "target")
    where = where_of(line, line.words[0] if line.words else None)
    _check_connect(line, where)
    to = Destination("", line.get("user"), line.get("database"), port_of(line.get("port")))
    if line.words:
        to = read_url(replace(to, target=line.words[0]))
    options, settings, section = connect_options_of(line), _settings(line), line.get("section")
    if section is not None:
        given = given_on(line, to)
        options, settings, to, where = with_section(section, options, settings, to, where, given=given)
    if line.words or (section is not None and not where.names_database):
        to = read_url(to)
        check_target(to.target)
    if (save := line.get("save")) is not None:
        check_section_name(save)
    return ConnectLine(
        target=to.target or None,
        user=to.user,
        database=to.database,
        port=to.port,
        alias=line.get("alias"),
        options=options,
        settings=settings,
        list_all="connections" in line.flags,
        close=line.get("close"),
        where=where,
        section=section,
        save=save,
    )


def where_of(line: Line, target: str | None) -> TargetOptions:
    """The options that name the database otherwise than by the target, or another one of its endpoints.

    Raises:
        OptionError: The database is named in two ways, or two of its endpoints.
    """
    where = read_fields(TargetOptions, line)
    check_named(target, where)
    return where


def given_on(line: Line, to: Destination) -> set[str]:
    """The names of the arguments that a line says something about, be it that a flag is off."""
    words = {key for key in ("target", "user", "database", "port") if getattr(to, key)}
    return words | line.values.keys() | line.flags | {flag.removeprefix("no_") for flag in line.flags}


def _check_connect(line: Line, where: TargetOptions) -> None:
    """Refuse options that would be ignored when a connection is only named, listed or closed."""
    names = sorted({*line.values, *line.flags})
    kind = next((key for key in ("connections", "close") if key in names), None)
    if kind is not None and (len(names) > 1 or line.words):
        raise OptionError(f"--{kind} must stand alone.", "Omit the rest, or put it on a line of its own.")
    has_user = "user" in names or any(map(is_plain_url, line.words))
    is_kept = "section" in names
    if kind is None and where.names_database and not has_user and not is_kept:
        raise OptionError("The database user is missing.", cause="user-missing")
    if kind is None and names and not ((line.words or where.names_database) and has_user) and not is_kept:
        options = ", ".join(f"--{key.replace('_', '-')}" for key in names)
        raise OptionError(
            f"{options} applies to a new connection only; that needs a target and -u USER.",
            "Write %rds_iam_connect TARGET -u USER, then the options; they change nothing on a held connection.",
        )


_ASSIGN = re.compile(r"\s*(\S+?)?\s*(=?<<)(?:\s|\Z)")


def parse_sql(text: str, body: str | None, aliases: Collection[str]) -> SqlLine | None:
    """Read the line of `%%rds_sql`, or of `%rds_sql` when there is no body; None when help is asked for.

    Args:
        text: The text after the magic's name; in a cell, its comments are removed.
        body: The cell's body; None for the line magic, whose SQL is on the line.
        aliases: The aliases of the open connections; a first word that is one of them selects it.

    Raises:
        OptionError: The line cannot be understood.
        NotConnectedError: A word is meant as an alias, but there is no such connection.
    """
    in_cell = body is not None
    alias, variable, shows = None, None, False
    line = SQL.parse(without_comments(text) if in_cell else text, words_end_options=True, others=GRAMMARS)
    if IF_EXISTS.keys().isdisjoint(line.values) and "help" not in line.flags:  # else what follows is a table
        refuse_unknown_kind(line, aliases, in_cell=in_cell)
        alias, rest = _take_alias(line.rest, aliases, in_cell=in_cell)
        variable, shows, rest = _take_variable(rest)
        if rest != line.rest:
            more = SQL.parse(rest, words_end_options=True, others=GRAMMARS)  # options, behind `VAR <<` too
            line = line.followed_by(more)
    if "help" in line.flags:
        return None
    if not IF_EXISTS.keys().isdisjoint(line.values) or "no_index" in line.flags:
        return _load_line(alias, variable, line, body)
    if "saved" in line.flags:
        return _saved_line(line, alias, body)
    texts = line.lists.get("with", [])
    if any(map(is_login, [*texts, line.get("save") or "", line.get("out") or ""])):
        raise login_refused()
    name = _assigned(variable, line.get("out"))
    if in_cell and line.rest:
        raise _stray(line.rest, alias)
    sql = line.rest if body is None else body
    alias = _one_alias(alias, line.get("alias"))
    if line.get("file") and (sql if in_cell else without_comments(sql)).strip():
        raise OptionError(
            "--file reads the SQL from a file, and there is SQL beside it.",
            "Keep one of them; a file's name with spaces goes in quotes.",
        )
    plot = plot_of(line.values, line.lists.get("y", []), line.flags, line.rest, in_cell=in_cell)
    if not in_cell and alias is None and variable is None:
        sqltext.refuse_mistyped_alias(sql, aliases)
    sqltext.refuse_options_in_sql(sql, SQL, in_cell=in_cell)
    return _sql_line(alias, sql, name, line, plot, show=shows or name is None)


def _saved_line(line: Line, alias: str | None, body: str | None) -> SqlLine:
    others = [*line.values, *line.lists, *(line.flags - {"saved"})]
    if others or alias or without_comments(line.rest) or (body or "").strip():
        raise OptionError("--saved must stand alone.", "It lists the saved queries; --with NAME reads from one.")
    return SqlLine(None, "", None, show=False, list_saved=True)


def _one_alias(word: str | None, option: str | None) -> str | None:
    if word is not None and option is not None and word != option:
        raise OptionError(f"The connection is named twice: {word} and -A {option}.", "Keep one of them.")
    return word if option is None else option


def _assigned(variable: str | None, out: str | None) -> str | None:
    """The variable of `VAR <<`, or of `-o VAR`."""
    if variable and out:
        raise OptionError(f"The result is assigned twice: {variable} << and -o {out}.", "Keep one of them.")
    name = variable or out
    if name is not None:
        check_variable(name)
    return name


def _load_line(alias: str | None, variable: str | None, line: Line, body: str | None) -> SqlLine:
    values = {**line.values, **dict.fromkeys(line.lists, ""), **({"out": variable} if variable else {})}
    alias = _one_alias(alias, values.pop("alias", None))
    load = load_of(values, line.flags, line.rest, body)
    return SqlLine(alias, "", None, show=False, quiet="quiet" in line.flags, load=load)


def _sql_line(
    alias: str | None, sql: str, variable: str | None, line: Line, plot: PlotOptions | None, *, show: bool
) -> SqlLine:
    values, flags, texts = line.values, line.flags, line.lists.get("with", [])
    parsed = SqlLine(
        alias=alias,
        sql=sql,
        variable=variable,
        show=show and "quiet" not in flags,
        quiet="quiet" in flags,
        limit=whole(values.get("limit"), "limit"),
        type=_choice(values, "type"),
        dtype_backend=_choice(values, "dtype_backend"),
        decimal=_choice(values, "decimal"),
        to=values.get("to"),
        overwrite="overwrite" in flags,
        parallel=whole(values.get("parallel"), "parallel"),
        on=values.get("on"),
        consistent="consistent" in flags,
        params=values.get("params"),
        bind="no_bind" not in flags,
        dry_run="dry_run" in flags,
        jinja="jinja" in flags,
        plot=plot,
        file=values.get("file"),
        save=values.get("save"),
        explain="explain" in flags,
        frames=frames_of(texts),
        queries=queries_of(texts),
    )
    _check_together(parsed)
    return parsed


def _choice(values: dict[str, str], key: str) -> Any:
    """The value of an option that has choices, or its default."""
    info = _CHOICES[key]
    return one_of(values.get(key), key.replace("_", "-"), info.choices) or info.default


_CHOICES = {option.key: option.info for option in SQL.options if option.info.choices}


def _check_together(line: SqlLine) -> None:
    """Refuse options that exclude each other, rather than ignore one of them."""
    if not line.bind and (line.params or line.jinja):
        raise OptionError("--no-bind binds nothing; --params and --jinja bind values.", "Omit one of them.")
    if line.overwrite and line.to is None:
        raise OptionError("--overwrite needs --to FILE.", "Name the file with --to, or omit --overwrite.")
    if line.parallel is None and (line.on or line.consistent):
        raise OptionError("--on and --consistent need --parallel N.", "Add --parallel N, or omit them.")
    if line.parallel is not None and line.frames:
        raise OptionError(
            "--parallel reads over other sessions, which do not have the table of --with.", "Omit one of them."
        )
    if line.parallel is not None and (line.limit is not None or line.to is not None):
        raise OptionError("--parallel reads all rows at once; --limit and --to do not.", "Omit one of them.")
    if line.type != "pandas" and (line.dtype_backend or line.decimal != "float"):
        raise OptionError(
            f"--dtype-backend and --decimal apply to pandas only; {line.type} keeps exact types.", "Omit them."
        )
    typed = line.type != "pandas" or line.dtype_backend or line.decimal != "float"
    if line.explain and (line.to or line.parallel or line.limit or typed or line.dry_run or line.plot):
        raise OptionError(
            "--explain shows the plan and reads no rows.",
            "Omit --to, --parallel, --limit, --plot, --dry-run and the type options.",
        )
    if line.to is not None and (line.variable or line.type != "pandas" or line.dtype_backend):
        raise OptionError("--to writes a file and returns no DataFrame.", "Omit the variable and the type options.")


# Options where a connection URL or a password may be typed by habit; in mysql, `-p` is the password.
_NAMING = frozenset(
    {"user", "database", "alias", "close", "host", "target", "via", "ssm", "ssh", "stack", "secret", "endpoint"}
)


def parse_line(grammar: Grammar, text: str) -> Line:
    """Parse a line, and refuse the logins of other tools before anything repeats them."""
    line = grammar.parse(text, others=GRAMMARS)
    words = [word for word in line.words if not (grammar in (CONNECT, DOCTOR) and is_plain_url(word))]
    if any(map(is_login, [*words, *(value for key, value in line.values.items() if key in _NAMING)])):
        raise login_refused()
    if (target := line.get("target")) is not None:
        check_target(target)
    return line


def port_of(value: str | None) -> int | None:
    """The value of `--port`, or None if it is not given.

    Raises:
        OptionError: It is not a port; it is not repeated, since it may be a password.
    """
    try:
        return whole(value, "port", most=65535)
    except OptionError:
        error = OptionError(
            "--port (-p) is not a whole number (1 to 65535).",
            "-p means the port. If you typed a password there, delete it from the cell: none is needed.",
        )
        error.holds_input = True
    raise error


def check_variable(name: str) -> None:
    """Refuse an invalid variable name.

    Raises:
        OptionError: It is not one.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise OptionError(f"{name!r} is not a variable name.", "Write it like: orders << .")


def connect_options_of(line: Line) -> ConnectOptions:
    """The line's `ConnectOptions`.

    Raises:
        OptionError: As `read_fields` does.
    """
    return read_fields(ConnectOptions, line)


def _settings(line: Line) -> SessionSettings:
    return read_fields(SessionSettings, line)


def at_most(line: Line, count: int, grammar: Grammar, what: str) -> None:
    """Refuse more words than `count`; `what` they are is said."""
    if len(line.words) > count:
        raise OptionError(f"{grammar.magic} takes one {what}; unexpected {line.words[count]!r}.", grammar.see_help)


def _take_alias(rest: str, aliases: Collection[str], *, in_cell: bool) -> tuple[str | None, str]:
    """The alias before the rest, if there is one; on a cell's line, any first word counts as one."""
    first, others = (*rest.split(None, 1), "", "")[:2]
    if is_login(first):
        raise login_refused()
    if not first or _ASSIGN.match(rest):
        return None, rest
    if first in aliases:
        return first, others
    if not in_cell:
        return None, rest
    if sqltext.begins_statement(first):
        raise _stray(rest, None)
    raise sqltext.not_held(first, aliases, assignable=f"%%rds_sql {first} <<" if first.isidentifier() else "")


def _take_variable(rest: str) -> tuple[str | None, bool, str]:
    """`VAR <<` or `VAR =<<` before the rest: the variable, whether to show the result too, and the rest."""
    match = _ASSIGN.match(rest)
    if match is None:
        return None, False, rest
    if match[1] is None:
        raise OptionError(f"The variable name before {match[2]} is missing.", "Write it like: orders << .")
    return match[1], match[2] == "=<<", rest[match.end() :].strip()


def _stray(rest: str, alias: str | None) -> OptionError:
    hint = "The SQL goes below it."
    if rest.isidentifier() and not sqltext.begins_statement(rest):
        hint = f"To assign the result, write %%rds_sql {alias + ' ' if alias else ''}{rest} <<; the SQL goes below it."
    return OptionError(f"%%rds_sql does not understand {rest!r} on its line.", hint)
