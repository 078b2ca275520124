"""The line of `%rds_iam_doctor`: text → a frozen dataclass; and which login it is about."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from rds_iam_magic.aws.endpoint import Destination, read_url
from rds_iam_magic.connect_options import ConnectOptions, TargetOptions, check_named
from rds_iam_magic.doctor.diagnosing import Attempt, attempt_of
from rds_iam_magic.errors import NotConnectedError, OptionError
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.notebook.fields import read_fields
from rds_iam_magic.notebook.grammar import whole
from rds_iam_magic.notebook.grammars import DOCTOR
from rds_iam_magic.notebook.options import at_most, connect_options_of, given_on, parse_line, port_of
from rds_iam_magic.notebook.setup.lines import options_beside
from rds_iam_magic.option import options_of
from rds_iam_magic.sections import with_section


@dataclass(frozen=True, slots=True)
class DoctorLine:
    """A parsed `%rds_iam_doctor` line.

    Attributes:
        to: The target, user, default schema and port that it names.
        options, where: As for a connection; the secret is not in `where`.
        secret: The master user's secret, or None.
        json: Whether JSON is asked for.
        share: Whether names are to be masked.
        fix: The number of the finding to mend, or None.
    """

    to: Destination
    options: ConnectOptions
    where: TargetOptions
    secret: str | None = None
    json: bool = False
    share: bool = False
    fix: int | None = None

    @property
    def names_login(self) -> bool:
        """Whether it names a database and a user, rather than be about a connection that there is, or was to be."""
        return bool(self.to.target or self.to.user or self.where.names_database)


def parse_doctor(text: str) -> DoctorLine | None:
    """Read the line of `%rds_iam_doctor`; None when help is asked for.

    Raises:
        OptionError: The line cannot be understood.
    """
    line = parse_line(DOCTOR, text)
    if "help" in line.flags:
        return None
    at_most(line, 1, DOCTOR, "target")
    if "share" in line.flags and line.get("fix") is not None:
        raise OptionError("--share does not go with --fix, which shows what it changes.", "Give one of them.")
    target = line.words[0] if line.words else ""
    where = replace(read_fields(TargetOptions, line), secret=None)
    check_named(target or None, where)
    read_fields(SessionSettings, line)  # taken as %rds_iam_connect takes them; a login does not depend on them
    options = connect_options_of(line)
    to = read_url(Destination(target, line.get("user"), line.get("database"), port_of(line.get("port"))))
    if (section := line.get("section")) is not None:
        options, _, to, where = with_section(
            section, options, SessionSettings(), to, where, given=given_on(line, to) - {"secret"}
        )
    return DoctorLine(
        to=to,
        options=options,
        where=where,
        secret=line.get("secret"),
        json="json" in line.flags,
        share="share" in line.flags,
        fix=whole(line.get("fix"), "fix"),
    )


def attempt_on(
    line: DoctorLine,
    *,
    failed: Attempt | None = None,
    aliases: Collection[str] = (),
    held: Callable[[str | None], Attempt] | None = None,
) -> Attempt:
    """The login that a line is about.

    It is the one that it names; else, with what it says beside, that of a connection: the one whose alias it has for
    its target, the one that failed last, or the current one.

    Args:
        line: The line.
        failed: The connection that failed last, or None.
        aliases: The aliases of the open connections.
        held: The login of an open connection by its alias, of the current one for None; None where there are none.

    Raises:
        OptionError: There is none, or the target or the user is missing.
    """
    alias = line.to.target if line.to.target in aliases and not line.to.user else None
    if held is not None and alias is not None:
        return _beside(line, held(alias))
    if line.names_login:
        if not line.to.user:
            raise OptionError(
                "The database user is missing.", f"Write {DOCTOR.magic} TARGET -u USER.", cause="user-missing"
            )
        if not (line.to.target or line.where.names_database or line.secret):
            raise OptionError("The target is missing.", f"Write {DOCTOR.magic} TARGET -u USER.", cause="target-empty")
        return attempt_of(line.to, line.options, line.where, line.secret)
    if failed is not None:
        return _beside(line, failed)
    try:
        if held is not None:
            return _beside(line, held(None))
    except NotConnectedError:
        pass
    raise OptionError(
        "There is nothing to diagnose: no connection has failed, and none is open.",
        f"Write {DOCTOR.magic} TARGET -u USER.",
    )


def _beside(line: DoctorLine, attempt: Attempt) -> Attempt:
    """Another login with what a line says beside."""
    given = {key: getattr(line.where, key) for key in options_of(TargetOptions) if getattr(line.where, key)}
    to = replace(attempt.to, database=line.to.database or attempt.to.database, port=line.to.port or attempt.to.port)
    options = options_beside(line.options, attempt.options)
    return attempt_of(to, options, replace(attempt.where, **given), line.secret or attempt.secret)
