"""`MemoryBudget`, and the memory available to this process, by machine and container."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from rds_iam_magic.errors import OptionError, ResultError
from rds_iam_magic.wording import bytes_text

_SMALL = 32 << 20  # bytes
_UNITS = {"": 1, "B": 1, "K": 1 << 10, "KB": 1 << 10, "M": 1 << 20, "MB": 1 << 20, "G": 1 << 30, "GB": 1 << 30}


def available() -> int:
    """The bytes still available to this process."""
    return min(_limits(), default=8 << 30)


class MemoryBudget:
    """The memory limit for the results of one statement.

    Args:
        setting: A number of bytes, or a string such as `4 GB`; None for half of the memory available when a result
            exceeds 32 MiB.

    Raises:
        OptionError: The setting is not a valid size.
    """

    def __init__(self, setting: int | str | None) -> None:
        self._limit = None if setting is None or setting == "" else parse_size(setting)
        self._spent = 0

    @property
    def spent(self) -> int:
        """The bytes spent so far."""
        return self._spent

    def spend(self, size: int, rows: int) -> None:
        """Add `size` bytes to what is spent; `rows` is the number of rows so far.

        Raises:
            ResultError: The budget is exceeded.
        """
        self._spent += size
        # Free memory is read only once a result exceeds 32 MiB: reading it costs more than a small query.
        if self._limit is None and self._spent > _SMALL:
            self._limit = self._spent + available() // 2
        if self._limit is not None and self._spent > self._limit:
            raise ResultError(
                f"The result exceeds its memory limit of {bytes_text(self._limit)}: {rows:,} rows took "
                f"{bytes_text(self._spent)}; the query was stopped.",
                cause="result-too-large",
            )

    def refund(self) -> None:
        """Reset what was spent, because the statement is retried from its start."""
        self._spent = 0


def parse_size(setting: int | str) -> int:
    """The number of bytes of a size such as `4 GB` (powers of 1024).

    Raises:
        OptionError: It is not a valid size.
    """
    text = str(setting).strip().upper()
    number = text.rstrip("BKMG ")
    unit = text[len(number) :].strip()
    try:
        size = int(float(number) * _UNITS[unit])
    except (KeyError, ValueError, OverflowError):
        size = 0
    if size <= 0:
        raise OptionError(f"max_memory={setting!r} is not a valid size.", cause="memory-size-invalid")
    return size


def _limits() -> Iterator[int]:
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        lines = (line.split() for line in meminfo.read_text().splitlines())
        yield from (int(line[1]) * 1024 for line in lines if line[0] == "MemAvailable:")
    elif hasattr(os, "sysconf"):
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    # cgroup v2, then v1; a container sees its own group at the root.
    yield from _group_limit(Path("/sys/fs/cgroup"), "memory.max", "memory.current", "inactive_file")
    yield from _group_limit(
        Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
    )


def _group_limit(folder: Path, limit: str, usage: str, cache: str) -> Iterator[int]:
    try:
        most, used = (int((folder / name).read_text()) for name in (limit, usage))
        lines = (line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no such group, or "max"
        return
    # The page cache counts as used, although the kernel reclaims it on demand.
    yield max(0, most - used + next((int(value) for name, value in lines if name == cache), 0))
