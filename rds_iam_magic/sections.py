"""Sections: options of a connection that a file keeps under a name, `~/.config/rds_iam_magic/connections.ini`.

```ini
[prod]
target = my-cluster
user = analyst
ssh = bastion
read_only = true
```

The keys are the arguments of `connect`, with `-` or `_`; the values are written as they are, without quotes. Options
only: a secret is refused, with its line. The file is the user's: what is written keeps the rest of it as it is.
"""

from __future__ import annotations

import difflib
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from rds_iam_magic.aws.endpoint import Destination, is_login, is_plain_url
from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.errors import OptionError
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.option import options_of

_HEADER = re.compile(r"\[(?P<name>[^\[\]]+)\]")
_NAME = re.compile(r"\w[\w.-]*")
_SECRET = re.compile(r"passw|pwd|secret|token|credential|access_key|private", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"X-Amz-(?:Signature|Security-Token)|-----BEGIN", re.IGNORECASE)
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")

_ONE_OF = (
    frozenset({"via", "ssm", "ssh"}),
    frozenset({"target", "stack", "secret"}),
    frozenset({"reader", "endpoint"}),
)
"""Of each group one may be given: another one takes its place, rather than be added."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the file: its number, and what it is."""

    number: int
    text: str
    section: str | None
    key: str = ""
    value: str = ""


def path_of_sections() -> Path:
    """The file: `RDS_IAM_MAGIC_CONNECTIONS`, else in the folder of the user's configuration.

    Raises:
        OptionError: It is in a home directory, and that is not known.
    """
    own = os.environ.get("RDS_IAM_MAGIC_CONNECTIONS")
    base = os.environ.get("XDG_CONFIG_HOME")
    with suppress(RuntimeError):
        if own:
            return Path(own).expanduser()
        return (Path(base) if base else Path.home() / ".config") / "rds_iam_magic" / "connections.ini"
    raise OptionError("Where the sections are is not known: the home directory is not.", cause="sections-unreadable")


def section_names() -> list[str]:
    """The names of the sections, in the file's order; none if the file cannot be read."""
    with suppress(OptionError):
        return list(dict.fromkeys(line.section for line in _lines(_read()) if line.section))
    return []


def with_section(
    name: str,
    options: ConnectOptions,
    settings: SessionSettings,
    to: Destination,
    where: TargetOptions,
    *,
    given: Collection[str] | None = None,
) -> tuple[ConnectOptions, SessionSettings, Destination, TargetOptions]:
    """A section's options where nothing else is said.

    Args:
        name: The section.
        options: What is given otherwise; it wins.
        settings: Likewise.
        to: Likewise.
        where: Likewise.
        given: The names of what is given. Default: what differs from its default.

    Raises:
        OptionError: There is no such section, or it holds something else than options.
    """
    if given is None:
        given = values_of(options, settings, to, where).keys()
    saved = read_section(name)
    taken = {key: value for key, value in saved.items() if key not in given and not _is_replaced(key, given)}

    def of(kind: type) -> dict[str, Any]:
        return {key: value for key, value in taken.items() if key in get_type_hints(kind)}

    return (
        replace(options, **of(ConnectOptions)),
        replace(settings, **of(SessionSettings)),
        replace(to, **of(Destination)),
        replace(where, **of(TargetOptions)),
    )


def _is_replaced(key: str, given: Collection[str]) -> bool:
    return any(key in group and not group.isdisjoint(given) for group in _ONE_OF)


def values_of(
    options: ConnectOptions, settings: SessionSettings, to: Destination, where: TargetOptions
) -> dict[str, Any]:
    """What differs from its default, by key, as a section keeps it."""
    found = {key: value for key in ("target", "user", "database", "port") if (value := getattr(to, key))}
    for part in (where, options, settings):
        infos = options_of(type(part))
        found |= {key: value for key, info in infos.items() if (value := getattr(part, key)) != info.default}
    return found


def read_section(name: str) -> dict[str, Any]:
    """A section's values by key, each of its option's type.

    Raises:
        OptionError: There is no such section, or it holds something else than options; with file and line.
    """
    values: dict[str, Any] = {}
    found = False
    for line in _lines(_read()):
        if line.section != name:
            continue
        if line.key:
            values[line.key] = _value(line, values)
        elif found and _HEADER.fullmatch(line.text.strip()):
            raise _error(line, f"there is a section {name} already")
        found = True
    if not found:
        raise _unknown(name)
    return values


def write_section(name: str, values: Mapping[str, Any]) -> bool:
    """Write a section, in the place of one of that name; all other lines stay as they are, its comments too.

    The file is there with the section, or as it was; only its user may read it.

    Returns:
        Whether it replaces another one.

    Raises:
        OptionError: The name or a value cannot be written, or the file cannot.
    """
    check_section_name(name)
    new = {key: _text(key, value) for key, value in values.items()}
    for key, text in new.items():
        _value(_Line(0, "", name, key, text), {})
    _read()  # one that cannot be read is told as that, before anything is made
    path = Path(os.path.realpath(path_of_sections()))  # a link stays a link
    with _alone(path):
        lines = list(_lines(_read()))
        is_there = any(line.section == name for line in lines)
        _write_whole(path, _with(lines, name, new))
    return is_there


def check_section_name(name: str) -> None:
    """Refuse a name that no section can have.

    Raises:
        OptionError: It is one.
    """
    if not _NAME.fullmatch(name):
        raise OptionError(f"{name!r} cannot be the name of a section.", cause="section-name-invalid")


def _with(lines: list[_Line], name: str, new: dict[str, str]) -> str:
    """The text with the section's keys in their places, and new ones behind them."""
    left, kept, at = dict(new), [], -1
    for line in lines:
        if line.section != name:
            kept.append(line.text)
            continue
        if line.key and line.key in left:
            kept.append(f"{line.key} = {left.pop(line.key)}")
        elif not line.key:  # a comment, the header; a key that is not wanted any more goes
            kept.append(line.text)
        if line.text.strip():
            at = len(kept)
    if at < 0:
        while kept and not kept[-1].strip():
            kept.pop()
        kept += [*([""] if kept else []), f"[{name}]"]
        at = len(kept)
    kept[at:at] = [f"{key} = {text}" for key, text in left.items()]
    return "\n".join(kept).rstrip("\n") + "\n"


def _read() -> str:
    path = path_of_sections()
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            return ""  # such as /dev/null: a user who wants no sections
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
    raise OptionError(f"{path} cannot be read: {reason}.", cause="sections-unreadable")


def _lines(text: str) -> Iterator[_Line]:
    """The lines of the file, each with its section.

    Raises:
        OptionError: One is neither a header, nor a key with a value, nor a comment.
    """
    section: str | None = None
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else [], 1):
        stripped = line.strip()
        header = _HEADER.fullmatch(stripped)
        if header is not None:
            section = header["name"].strip()
        key, mark, value = re.match(r"([^=:]*)([=:]?)(.*)", stripped, re.DOTALL).groups()  # type: ignore[union-attr] # it always matches
        if header is not None or not stripped or stripped.startswith(("#", ";")):
            yield _Line(number, line, section)
        elif not mark or not key.strip() or section is None:
            raise _error(_Line(number, "", section), "this is neither [NAME] nor KEY = VALUE nor a comment")
        else:
            yield _Line(number, line, section, key.strip().lower().replace("-", "_"), value.strip())


def _kinds() -> dict[str, frozenset[type]]:
    """The keys, each with the types that its value may have."""
    hints = {kind: get_type_hints(kind) for kind in (ConnectOptions, SessionSettings, Destination, TargetOptions)}
    return {key: frozenset(get_args(hint) or (hint,)) for found in hints.values() for key, hint in found.items()}


def _value(line: _Line, before: Collection[str]) -> Any:
    """A line's value, as its option has it.

    Raises:
        OptionError: It is no option, or not a value of it; or a secret, which is not repeated.
    """
    kinds, key, text = _kinds(), line.key, line.value
    if (key not in kinds and _SECRET.search(key)) or _SECRET_VALUE.search(text) or _holds_login(key, text):
        error = _error(line, f"{key} may hold a secret", is_secret=True)
        error.holds_input = True
        raise error
    if key not in kinds:
        near = difflib.get_close_matches(key, kinds, n=1)
        raise _error(line, f"{key} is not an option", hint=f"Did you mean {near[0]}?" if near else "")
    if key in before:
        raise _error(line, f"{key} is given twice")
    if not text:
        raise _error(line, f"{key} is empty")
    types = kinds[key]
    choices = (options_of(ConnectOptions) | options_of(SessionSettings)).get(key)
    if choices is not None and choices.choices and text not in choices.choices:
        raise _error(line, f"{key} is one of {', '.join(choices.choices)}")
    if bool in types:
        if text.lower() not in (*_TRUE, *_FALSE):
            raise _error(line, f"{key} is true or false")
        return text.lower() in _TRUE
    if int in types or float in types:
        return _number(line, whole=int in types)
    return text


def _number(line: _Line, *, whole: bool) -> float:
    try:
        number = int(line.value) if whole else float(line.value)
        if 0 < number < (65536 if whole else float("inf")):
            return number
    except ValueError:
        pass
    raise _error(line, f"{line.key} is a {'whole number from 1 to 65535' if whole else 'number greater than 0'}")


def _holds_login(key: str, text: str) -> bool:
    return key != "ca" and is_login(text) and not (key == "target" and is_plain_url(text))


def _text(key: str, value: Any) -> str:
    """A value as the file has it.

    Raises:
        OptionError: It has a line break, white space around it, or what is not valid text.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f"{value:.15g}" if isinstance(value, float) else str(value)
    if text != text.strip() or "\n" in text or "\r" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise OptionError(f"The value of {key} cannot be written to a file.", cause="section-value-invalid")
    return text


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Make the file's folder, and keep other kernels from saving there meanwhile: what they save would be lost."""
    descriptor = None
    try:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(ImportError):  # Windows has neither this lock nor folders that can be opened
                import fcntl

                descriptor = os.open(path.parent, os.O_RDONLY)
                with suppress(OSError):  # some network file systems have no locks
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise _unwritable(path, error.strerror) from None
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _write_whole(path: Path, text: str) -> None:
    if path.exists() and not path.is_file():  # such as /dev/null, which a privileged user could replace
        raise _unwritable(path, "it is not a regular file")
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # of mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        return
    except OSError as error:
        reason = error.strerror
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
    raise _unwritable(path, reason)


def _unwritable(path: Path, reason: str | None) -> OptionError:
    return OptionError(f"{path} cannot be written: {reason}.", cause="sections-unwritable")


def _error(line: _Line, words: str, hint: str = "", *, is_secret: bool = False) -> OptionError:
    where = f"{path_of_sections()}, line {line.number}" if line.number else "A section"
    return OptionError(f"{where}: {words}.", hint, cause="section-secret" if is_secret else "section-invalid")


def _unknown(name: str) -> OptionError:
    names = section_names()
    near = difflib.get_close_matches(name, names, n=1)
    hints = [f"Did you mean {near[0]}?"] if near else []
    hints += [f"There are: {', '.join(names)}."] if names else []
    message = f"There is no section {name} in {path_of_sections()}."
    return OptionError(message, " ".join(hints), cause="section-unknown", facts={"section": name})
