"""File destinations: local, S3, or another store that pyarrow supports; a file appears complete or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from rds_iam_magic.aws.border import from_a_signal_handler
from rds_iam_magic.errors import OptionError, ResultError

_BUFFER = 1 << 20


class Destination(Protocol):
    """Call `open`, `write`…, then `commit`; always call `discard`, which does nothing after a commit.

    Raises:
        ResultError: From each method: the file cannot be written.
    """

    def exists(self) -> bool:
        """Whether a file of that name exists."""

    def open(self) -> None:
        """Begin the file under a temporary name, or none."""

    def write(self, data: bytes) -> object:
        """Append bytes."""

    def commit(self) -> None:
        """Give the file its name, replacing an existing file."""

    def discard(self) -> str:
        """Remove a file that was not committed; return a sentence if something is left behind, else ""."""


def destination(path: str, session: Any = None) -> Destination:
    """The destination for a path or a URL.

    Raises:
        OptionError: The URL is not valid.
        ResultError: The path is a folder, or its folder does not exist.
    """
    scheme, separator, _ = path.partition("://")
    if not separator:
        return _Local(path)
    if scheme.lower() == "s3":
        from rds_iam_magic.aws.s3 import S3Object

        return S3Object(path, session)
    return _Store(path)


class _Local:
    """A local file, written under a temporary name in the same folder, then renamed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        with _told(path):
            self._place = Path(path).expanduser().absolute()
            self._temporary = self._place.with_name(f"{self._place.name}.{secrets.token_hex(4)}.part")
            if self._place.is_dir():
                raise ResultError(f"{path} is a folder.", cause="file-is-folder")
            if not self._place.parent.is_dir():
                raise ResultError(f"The folder {self._place.parent} does not exist.", cause="folder-unknown")

    def exists(self) -> bool:
        with _told(self._path):
            return os.path.lexists(self._place)

    def open(self) -> None:
        with _told(self._path):
            self._file = self._temporary.open("xb", _BUFFER)

    def write(self, data: bytes) -> None:
        assert self._file is not None  # noqa: S101 - it is opened first; for mypy
        with _told(self._path):
            self._file.write(data)

    def commit(self) -> None:
        assert self._file is not None  # noqa: S101 - it is opened first; for mypy
        with _told(self._path):
            self._file.close()  # may be the first call to find the disk full
            self._temporary.replace(self._place)
            self._file = None

    def discard(self) -> str:
        if self._file is not None:
            with suppress(OSError):  # flushing may fail; the descriptor is closed anyway
                self._file.close()
            self._file = None
        try:  # by name: an interrupt may have come between creating and recording it
            self._temporary.unlink(missing_ok=True)
        except ValueError:  # a path that no file can have
            return ""
        except OSError:
            return f"{self._temporary} could not be removed." if os.path.lexists(self._temporary) else ""
        return ""


class _Store:
    """A file in a store that pyarrow supports, written under a temporary name, then moved."""

    def __init__(self, path: str) -> None:
        import pyarrow as pa
        from pyarrow import fs

        self._path = path
        self._file: Any = None
        try:
            self._files, self._place = fs.FileSystem.from_uri(path)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            message = str(error).splitlines()[0][:200]
            raise OptionError(f"{path!r} is not a valid path: {message}", cause="file-address-invalid") from None
        self._temporary = f"{self._place}.{secrets.token_hex(4)}.part"

    def exists(self) -> bool:
        from pyarrow import fs

        with _told(self._path):
            kind = self._files.get_file_info(self._place).type
        if kind == fs.FileType.Directory:
            raise ResultError(f"{self._path} is a folder.", cause="file-is-folder")
        return bool(kind != fs.FileType.NotFound)

    def open(self) -> None:
        with _told(self._path):
            self._file = self._files.open_output_stream(self._temporary)

    def write(self, data: bytes) -> None:
        with _told(self._path):
            self._file.write(data)

    def commit(self) -> None:
        with _told(self._path):
            self._file.close()
            self._files.move(self._temporary, self._place)
            self._file = None

    def discard(self) -> str:
        from pyarrow import fs

        if self._file is None:
            return ""
        file, self._file = self._file, None
        try:
            file.close()
            if self._files.get_file_info(self._temporary).type != fs.FileType.NotFound:
                self._files.delete_file(self._temporary)
        except OSError:
            return f"{self._temporary} could not be removed."
        return ""


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Turn OS errors into `ResultError`s; exceptions raised by a user's signal handler pass through."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:  # ValueError: a NUL in a path; RuntimeError: no home for `~`
        if from_a_signal_handler(error) is not None:
            raise
        message = getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ResultError(f"{path} cannot be written: {message.rstrip('.')}.", cause="file-not-written") from None
