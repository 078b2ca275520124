"""The lines of `%rds_iam_provision` and `%rds_iam_enable`: text → frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass

from rds_iam_magic.aws.endpoint import check_target
from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.fields import read_fields
from rds_iam_magic.notebook.grammar import Line
from rds_iam_magic.notebook.grammars import ENABLE, PROVISION
from rds_iam_magic.notebook.options import at_most, connect_options_of, parse_line
from rds_iam_magic.option import options_of
from rds_iam_magic.setup.provision.request import ProvisionOptions, Request, check_stack_name, read_request

_ACTIONS = ("deploy", "status", "delete")


@dataclass(frozen=True, slots=True)
class ProvisionLine:
    """A parsed `%rds_iam_provision` line: what to do with which stack, and for `deploy` what to make."""

    action: str
    stack: str
    request: Request | None
    yes: bool
    options: ConnectOptions


@dataclass(frozen=True, slots=True)
class EnableLine:
    """A parsed `%rds_iam_enable` line."""

    target: str
    now: bool
    yes: bool
    options: ConnectOptions


def parse_provision(text: str) -> ProvisionLine | None:
    """Read the line of `%rds_iam_provision`; None when help is asked for.

    Raises:
        OptionError: The line cannot be understood.
    """
    line = parse_line(PROVISION, text)
    if "help" in line.flags:
        return None
    if len(line.words) != 2 or line.words[0] not in _ACTIONS:
        came = f", not: {' '.join(line.words)}" if line.words else ""
        raise OptionError(f"%rds_iam_provision needs: {'|'.join(_ACTIONS)} STACK{came}.", PROVISION.see_help)
    action, stack = line.words
    yes = "yes" in line.flags
    check_stack_name(stack)
    _refuse_idle(action, line)
    request = read_request(stack, read_fields(ProvisionOptions, line), line.get("from"), yes=yes)
    return ProvisionLine(action, stack, request if action == "deploy" else None, yes, connect_options_of(line))


def _refuse_idle(action: str, line: Line) -> None:
    """Refuse options of other actions, rather than ignore them."""
    if action == "deploy":
        return
    given = {*line.values, *line.flags}
    idle = sorted(given & {"from", *options_of(ProvisionOptions)} | (given & {"yes"} if action == "status" else set()))
    if idle:
        names = ", ".join(f"--{key.replace('_', '-')}" for key in idle)
        raise OptionError(f"{names} has no effect on {action}.", "Omit it.")


def parse_enable(text: str) -> EnableLine | None:
    """Read the line of `%rds_iam_enable`; None when help is asked for.

    Raises:
        OptionError: The line cannot be understood.
    """
    line = parse_line(ENABLE, text)
    if "help" in line.flags:
        return None
    at_most(line, 1, ENABLE, "target")
    if not line.words:
        raise OptionError("The target is missing.", "Write %rds_iam_enable TARGET.")
    check_target(line.words[0])
    now, yes = "now" in line.flags, "yes" in line.flags
    if yes and not now:
        raise OptionError("--yes has no effect without --now.", "Omit it, or add --now.")
    return EnableLine(line.words[0], now, yes, connect_options_of(line))
