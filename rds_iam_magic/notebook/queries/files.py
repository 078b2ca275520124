"""The SQL of a file."""

from __future__ import annotations

import codecs
from contextlib import suppress
from pathlib import Path

from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammar import near
from rds_iam_magic.sql.lexer import tokenize
from rds_iam_magic.sql.parameters import STRING, read_pieces
from rds_iam_magic.sql.statement import split

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_sql(name: str) -> str:
    """The text of a file with SQL: UTF-8, with or without a byte order mark; `~` is the home directory.

    Raises:
        OptionError: There is no such file, it cannot be read, it is not UTF-8, or the name is a URL.
    """
    if "://" in name:
        error = OptionError(
            "--file takes the path of a file; a URL is not repeated here, since it may contain a password.",
            cause="sql-file-missing",
        )
        error.holds_input = True
        raise error
    try:
        path = Path(name).expanduser()
        data = path.read_bytes()
    except FileNotFoundError:
        raise _missing(name, path) from None
    except IsADirectoryError:
        raise OptionError(f"{name} is a folder.", _near_in(path), cause="sql-file-unreadable") from None
    except (OSError, RuntimeError, ValueError) as error:  # no permission; no home directory; a null character
        reason = getattr(error, "strerror", None) or str(error).rstrip(".")
    else:
        return _decoded(data, name)
    raise OptionError(f"{name} cannot be read: {reason}.", cause="sql-file-unreadable")


def _decoded(data: bytes, name: str) -> str:
    if data.startswith(_UTF_16):
        raise OptionError(f"{name} is UTF-16, not UTF-8.", cause="sql-file-encoding")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
    else:
        if not text.strip():
            raise OptionError(f"{name} is empty.", cause="sql-missing")
        return text.replace("\r\n", "\n")
    raise OptionError(f"{name} is not UTF-8: line {line} has a byte 0x{byte:02X}.", cause="sql-file-encoding")


def _missing(name: str, path: Path) -> OptionError:
    folder = path.parent
    if not folder.is_dir():
        return OptionError(f"There is no file {name}: there is no folder {folder}.", cause="sql-file-missing")
    hint = _near_in(folder, path.name) or f"The kernel's working directory is {Path.cwd()}."
    return OptionError(f"There is no file {name}.", hint, cause="sql-file-missing")


def _near_in(folder: Path, name: str = "") -> str:
    """The file of a folder that was probably meant; without a name, the files with SQL that it has."""
    with suppress(OSError):
        files = sorted(each.name for each in folder.iterdir() if each.is_file())
        if not name:
            sql = [each for each in files if each.endswith(".sql")][:5]
            return f"It has {', '.join(sql)}." if sql else ""
        guess = near(name, files)
        return f"Did you mean {guess}?" if guess else ""
    return ""


def line_of(sql: str, position: int) -> tuple[int, int] | None:
    """The line of a text in which its statement with a number begins, from 1; first with its comments, then without.

    None if there is no such statement, as in a session where strings end elsewhere.
    """
    at = 0
    for number, statement in enumerate(split(sql), 1):
        at = sql.index(statement.text, at)
        if number == position:
            first = next((token.start for token in tokenize(sql, at)), at)
            return sql.count("\n", 0, at) + 1, sql.count("\n", 0, first) + 1
        at += len(statement.text)
    return None


def line_as_written(sql: str, position: int, counted: int) -> int:
    """The line of a text's statement with a number, from 1, that the server means; it counts no lines within quotes."""
    text = next((statement.text for number, statement in enumerate(split(sql), 1) if number == position), "")
    parts, at = [], 0
    with suppress(OptionError):  # a parameter that is not clear, and was not bound
        for piece in read_pieces(text):
            if piece.kind == STRING:
                parts += [text[at : piece.start], text[piece.start : piece.end].replace("\n", " ")]
                at = piece.end
    lines = "".join([*parts, text[at:]]).split("\n")
    return text.count("\n", 0, sum(len(line) + 1 for line in lines[: counted - 1])) + 1
