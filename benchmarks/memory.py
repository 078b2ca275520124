"""This process' memory: what is in use, and the most that was."""

from __future__ import annotations

from pathlib import Path


def reset_peak() -> int:
    """Bytes in use now; the kernel's high-water mark starts from here."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")
    return _status("VmRSS") or peak()


def peak() -> int:
    """The most bytes in use since `reset_peak`."""
    import resource

    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _status(field: str) -> int:
    path = Path("/proc/self/status")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), 0)
