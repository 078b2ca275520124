"""The programs that the sandbox needs (`Tools`), and the compilation of the plugin."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rds_iam_magic.errors import RdsIamError

SOURCE = Path(__file__).with_name("plugin.c")
LIBRARY = "aws_authentication.so"

_BIN = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/opt/homebrew/bin", "/usr/local/bin")
_INCLUDE = ("include/mariadb/server", "include/mysql/server")
_SCRIPTS = ("share/mysql", "share/mariadb")


class SandboxError(RdsIamError):
    """The sandbox cannot run on this machine, or a part of it did not start."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The server's program, the scripts that fill a new data folder, the server's headers, and a C compiler."""

    mariadbd: Path
    scripts: Path
    headers: Path
    compiler: Path


def find_tools() -> Tools:
    """Find the programs that the sandbox needs.

    Raises:
        SandboxError: Something is missing; the message is one line that names the packages.
    """
    mariadbd = _which("mariadbd")
    prefixes = [Path("/usr"), Path("/usr/local"), Path("/opt/homebrew")]
    if mariadbd is not None:
        prefixes.insert(0, mariadbd.resolve().parent.parent)
    scripts = _first(prefixes, _SCRIPTS, "mysql_system_tables.sql")
    headers = _first(prefixes, _INCLUDE, "mysql/plugin_auth.h")
    compiler = _which("cc") or _which("gcc")
    if mariadbd is None or scripts is None:
        raise _missing("the MariaDB server (mariadbd)", "mariadb-server-core", "mariadb")
    if headers is None:
        raise _missing("MariaDB's server headers (mysql/plugin_auth.h)", "libmariadbd-dev", "mariadb")
    if compiler is None:
        raise _missing("a C compiler (cc)", "gcc libc6-dev", "gcc")
    return Tools(mariadbd, scripts, headers, compiler)


def compile_plugin(tools: Tools, target: Path) -> None:
    """Compile the plugin.

    Raises:
        SandboxError: The compiler failed.
    """
    command = [str(tools.compiler), "-O1", "-fPIC", "-shared", "-Wall", "-DMYSQL_DYNAMIC_PLUGIN"]
    command += [f"-I{tools.headers}", f"-I{tools.headers}/mysql", str(SOURCE), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a compiler, no shell
    if done.returncode:
        raise SandboxError(
            f"{tools.compiler} cannot compile the sandbox's plugin: {done.stderr.strip().splitlines()[-1:]}",
            "On Debian: apt-get install libmariadbd-dev gcc libc6-dev; with Homebrew: brew install mariadb.",
            detail=done.stderr,
        )


def _which(name: str) -> Path | None:
    path = shutil.which(name) or next((f"{folder}/{name}" for folder in _BIN if Path(folder, name).is_file()), None)
    return Path(path) if path else None


def _first(prefixes: list[Path], folders: tuple[str, ...], name: str) -> Path | None:
    paths = (prefix / folder for prefix in prefixes for folder in folders)
    return next((path for path in paths if (path / name).is_file()), None)


def _missing(what: str, debian: str, homebrew: str) -> SandboxError:
    return SandboxError(
        f"The sandbox needs {what}: apt-get install {debian} (Debian, Ubuntu) or brew install {homebrew} (Homebrew)."
    )
