"""`[tool.rds_iam_magic]` in a project's pyproject.toml: its defaults for the `%config` settings.

The file comes with a repository that somebody else may have written. So it sets only what is tagged for it
(`project=True`): what cells show and how much they read. How and where to log in is the user's own to say, and what the
user has set, in IPython's configuration or on its command line, comes first.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from traitlets import TraitError
from traitlets.config import Configurable

from rds_iam_magic.connect_options import CONNECT_ARGUMENTS, ConnectOptions, TargetOptions
from rds_iam_magic.errors import OptionError
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.notebook.grammar import near
from rds_iam_magic.option import options_of

# The rest of the file is never parsed: to tomllib a key of 200,000 parts is 160 GB of memory.
_TABLE = re.compile(rb"^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*rds[-_]iam[-_]magic[ \t]*\]", re.MULTILINE)
_NEXT_TABLE = re.compile(rb"^[ \t]*\[", re.MULTILINE)
_LARGEST, _LONGEST = 1_000_000, 2_000  # bytes of the file, and of the table


def take_project_settings(settings: Configurable, tell: Callable[[str], None]) -> None:
    """Set what the nearest pyproject.toml says, and tell which file that is; what is wrong in it is told and left out.

    Args:
        settings: The object with the traits.
        tell: Called with each note.
    """
    path = nearest()
    if path is None:
        return
    shown = _shown(path)
    table = _table(path, lambda words: tell(f"{shown} {words}; nothing was taken from it."))
    taken = []
    for key, value in table.items():
        name = key.replace("-", "_")
        if name in settings.config.get(type(settings).__name__, {}):
            continue
        wrong = _unusable(settings, name) or _set(settings, name, value)
        if wrong:
            tell(f"{shown}, [tool.rds_iam_magic]: {wrong}{'' if wrong.endswith('?') else '.'}")
        else:
            taken.append(f"{name} = {value!r:.60}")
    if taken:
        tell(f"settings of this project ({shown}): {', '.join(taken)}.")


def nearest() -> Path | None:
    """The pyproject.toml of the working directory, or of the nearest folder above it that has one."""
    with suppress(OSError):
        here = Path.cwd()
        return next((path for each in (here, *here.parents) if (path := each / "pyproject.toml").is_file()), None)
    return None


def _table(path: Path, refuse: Callable[[str], None]) -> Mapping[str, Any]:
    """The file's `[tool.rds_iam_magic]`; empty if it has none or cannot be read, which `refuse` is told then."""
    try:
        if path.stat().st_size > _LARGEST:
            return {}
        data = path.read_bytes()
        begin = _TABLE.search(data)
        if begin is None:  # as in most projects
            return {}
        end = _NEXT_TABLE.search(data, begin.end())
        table = data[begin.start() : end.start() if end else len(data)].rstrip()
        if len(table) <= _LONGEST:
            return _loads("\n" * data.count(b"\n", 0, begin.start()) + table.decode())
        refuse(f"has over {_LONGEST:,} bytes in [tool.rds_iam_magic]")
    except OSError as error:
        refuse(f"cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        refuse("is not UTF-8")
    except (ValueError, RecursionError) as error:
        line = re.search(r"at (line \d+)", str(error))
        refuse(f"is not valid TOML{f' ({line[1]})' if line else ''}")
    return {}


def _loads(text: str) -> dict[str, Any]:
    """The one table of a text."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    (table,) = tomllib.loads(text)["tool"].values()
    return dict(table)


def _unusable(settings: Configurable, name: str) -> str:
    """Why a name is no setting of a project, or ""."""
    traits = settings.class_own_traits(config=True)
    allowed = sorted(key for key, trait in traits.items() if trait.metadata.get("project"))
    if name in allowed:
        return ""
    shown = name if re.fullmatch(r"\w{1,40}", name) else "a name"
    if name in traits:
        return f"{shown} is the user's own to set, not a project's"
    if name in {"section", *_of_logins()}:
        return f"{shown} is an option of a login, which no project decides; keep it in a section of your own"
    guess = near(name, allowed)
    return f"{shown} is no setting; {f'did you mean {guess}?' if guess else 'there are ' + ', '.join(allowed)}"


def _set(settings: Configurable, name: str, value: object) -> str:
    """Set a setting; why it cannot be that value, or ""."""
    from rds_iam_magic.results.memory import parse_size

    try:
        if isinstance(value, bool) != isinstance(getattr(settings, name), bool):  # to traitlets, 1 is true
            raise TraitError
        if name == "max_memory":
            parse_size(value)  # type: ignore[arg-type] # whatever it is, it is no size then
        setattr(settings, name, value)
    except (TraitError, OptionError):
        return f"{name} = {value!r:.60} is not valid; %config {type(settings).__name__} says what is"
    return ""


def _of_logins() -> Iterator[str]:
    yield from CONNECT_ARGUMENTS
    for kind in (ConnectOptions, TargetOptions, SessionSettings):
        yield from options_of(kind)


def _shown(path: Path) -> str:
    text = str(path)
    with suppress(ValueError, RuntimeError):
        text = f"~/{path.relative_to(Path.home())}"
    return "".join(each if each.isprintable() else "�" for each in text)
