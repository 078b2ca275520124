"""Commands of the mysql shell within SQL: `DELIMITER` and `USE` are understood, the others refused.

The shell runs them itself; the server would refuse them, but only after the preceding statements have run
(https://dev.mysql.com/doc/refman/8.4/en/mysql-commands.html).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rds_iam_magic.errors import OptionError

_REMOVE = "Remove it."
_FILE = "Put the file's SQL here instead."
_END = "End the statement with `;`."
# No MySQL or MariaDB statement begins with one of these words.
_WORDS = {
    "CHARSET": "Remove it; text is sent and read as UTF-8.",
    "CLEAR": _REMOVE,
    "CONNECT": "",
    "EDIT": _REMOVE,
    "EGO": _END,
    "EXIT": _REMOVE,
    "GO": _END,
    "NOPAGER": _REMOVE,
    "NOTEE": _REMOVE,
    "NOWARNING": _REMOVE,
    "PAGER": "",
    "PRINT": _REMOVE,
    "PROMPT": _REMOVE,
    "QUERY_ATTRIBUTES": _REMOVE,
    "QUIT": _REMOVE,
    "REHASH": _REMOVE,
    "RESETCONNECTION": "",
    "SOURCE": _FILE,
    "SSL_SESSION_DATA_PRINT": _REMOVE,
    "STATUS": "SHOW STATUS lists the server's counters; SELECT VERSION(), CURRENT_USER(), DATABASE() tells the rest.",
    "SYSTEM": "Remove it; in a notebook, !command runs a command of this machine.",
    "TEE": "",
    "WARNINGS": "SHOW WARNINGS lists the last statement's.",
}
_CAUSES = {
    "CONNECT": "shell-connect-command",
    "PAGER": "shell-output-command",
    "RESETCONNECTION": "shell-connect-command",
    "TEE": "shell-output-command",
}
_LETTERS = {
    "!": "SYSTEM", ".": "SOURCE", "#": "REHASH", "C": "CHARSET", "P": "PAGER", "R": "PROMPT", "T": "TEE",
    "W": "WARNINGS", "c": "CLEAR", "e": "EDIT", "n": "NOPAGER", "p": "PRINT", "q": "QUIT", "r": "CONNECT",
    "s": "STATUS", "t": "NOTEE", "w": "NOWARNING", "x": "RESETCONNECTION",
}  # fmt: skip
_OTHER_LETTERS = {
    "?": "HELP 'topic' asks the server for help.",
    "h": "HELP 'topic' asks the server for help.",
    "d": "Write DELIMITER on a line of its own.",
    "u": "Write USE and the database's name.",
}
_ARGUMENT = r"""'[^'\n]*'|"[^"\n]*"|`[^`\n]*`|[^\s'"`]\S*"""
_REST = r"[ \t]*(?:(?:--[ \t]|\#)[^\n]*)?(?:\r?\n|\r?\Z)"
_DELIMITER = re.compile(rf"DELIMITER(?:[ \t]+({_ARGUMENT}))?({_REST})?", re.IGNORECASE)
# Within a statement, only what cannot be SQL.
_LONE_DELIMITER = re.compile(rf"DELIMITER[ \t]+([^\w\s'\"`\\]{{2,}}|;){_REST}", re.IGNORECASE)
_USE = re.compile(rf"USE[ \t]+(`[^`\n]*`|[^\s;`]+){_REST}", re.IGNORECASE)
_PLAIN_NAME = re.compile(r"[\w$]+")


class Command(NamedTuple):
    """A supported command: its argument, and the offset at which its line ends."""

    argument: str
    end: int


def delimiter(sql: str, start: int) -> Command:
    """The `DELIMITER` command that begins at `start`.

    Raises:
        OptionError: The delimiter is missing or not valid, or the line continues.
    """
    match = _DELIMITER.match(sql, start)
    argument = (match and match[1]) or ""
    if match is None or not argument:
        raise OptionError(
            "DELIMITER has no argument; nothing was run.", "Write it as in DELIMITER //.", cause="shell-command"
        )
    if argument[0] in "'\"`":
        argument = argument[1:-1]
    if "\\" in argument or not argument:
        raise OptionError(
            f"{argument!r} cannot be a delimiter; nothing was run.",
            "Use another one, such as //.",
            cause="shell-command",
        )
    if match[2] is None:
        raise OptionError(
            "DELIMITER and its delimiter need a line of their own; nothing was run.",
            f"Start a new line after DELIMITER {argument}.",
            cause="shell-command",
        )
    return Command(argument, match.end())


def lone_delimiter(sql: str, start: int, *, back: bool) -> Command | None:
    """A `DELIMITER` line at `start` within an unfinished statement; `back`: whether it may restore `;`."""
    if sql[sql.rfind("\n", 0, start) + 1 : start].strip(" \t"):
        return None
    match = _LONE_DELIMITER.match(sql, start)
    if match is None or (match[1] == ";" and not back):
        return None
    return Command(match[1], match.end())


def use(sql: str, start: int) -> Command | None:
    """`USE name` alone on its line, at `start`, which the shell accepts without a `;`."""
    match = _USE.match(sql, start)
    return None if match is None else Command(match[1], match.end())


def check_use(name: str) -> None:
    """Refuse a name that the shell accepts and the server does not."""
    if not (name.startswith("`") or _PLAIN_NAME.fullmatch(name)):
        raise OptionError(
            f"USE {name} has no `;`, and its name needs quotes; nothing was run.",
            f"Write USE `{name}`;",
            cause="shell-command",
        )


def check_first(sql: str, word: str, start: int, end: int) -> None:
    """Refuse a statement whose first word is a command of the shell.

    Raises:
        OptionError: It is one.
    """
    name = word.upper()
    if name in _WORDS:
        if not sql[end : end + 99].lstrip().startswith(":"):  # else it is a label
            raise _refused(word, _WORDS[name], _CAUSES.get(name, "shell-command"))
    elif word.startswith("?") or (name == "HELP" and sql[end : end + 99].lstrip()[:1] in ("", ";")):
        raise _refused(sql[start : start + len(name if name == "HELP" else "?")], _OTHER_LETTERS["h"])


def ends_statement(command: str) -> bool:
    r"""Whether a backslash and its letter end a statement, as `\G` does.

    Raises:
        OptionError: It is another shell command, or an unknown one.
    """
    letter = command[1:]
    if letter in ("g", "G"):
        return True
    if letter == ":":  # no command: an escaped colon, which is sent without the backslash where parameters are bound
        return False
    if letter in _LETTERS or letter in _OTHER_LETTERS:
        word = _LETTERS.get(letter, "")
        raise _refused(command, _OTHER_LETTERS.get(letter) or _WORDS[word], _CAUSES.get(word, "shell-command"))
    raise OptionError(
        "The SQL has a backslash outside quotes; nothing was run.",
        "Quote the text that contains it.",
        cause="shell-command",
    )


def _refused(command: str, hint: str, cause: str = "shell-command") -> OptionError:
    return OptionError(f"{command} is a command of the mysql shell, not SQL; nothing was run.", hint, cause=cause)
