"""The profiles and regions that AWS's configuration files name; boto3 is not imported, and no other line is kept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROFILE = re.compile(r"^\[\s*(profile\s+)?['\"]?([^\]'\"]+?)['\"]?\s*\]", re.MULTILINE)
_REGION = re.compile(r"^\s*(?:sso_)?region\s*=\s*([a-z0-9-]+)\s*$", re.MULTILINE)
_USUAL = (
    "us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1", "ap-southeast-2",
    "ap-northeast-1", "ap-south-1", "ca-central-1", "eu-north-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-west-1",
    "ap-northeast-2",
)  # fmt: skip


def profiles() -> list[str]:
    """The names of the profiles, in the files' order."""
    config = [name for prefix, name in _PROFILE.findall(_config()) if prefix or name == "default"]
    return list(dict.fromkeys([*config, *(name for _, name in _PROFILE.findall(_credentials()))]))


def regions() -> list[str]:
    """Regions: those of the environment and the profiles, then the most usual ones."""
    of_environment = [os.environ.get("AWS_REGION"), os.environ.get("AWS_DEFAULT_REGION")]
    return list(dict.fromkeys([*filter(None, of_environment), *_REGION.findall(_config()), *_USUAL]))


def _config() -> str:
    return "\n".join(_read("AWS_CONFIG_FILE", "config"))


def _credentials() -> str:
    return "\n".join(_read("AWS_SHARED_CREDENTIALS_FILE", "credentials"))


def _read(variable: str, name: str) -> Iterator[str]:
    """The lines that begin a section or name a region."""
    with suppress(OSError, RuntimeError, ValueError):
        path = Path(os.environ.get(variable) or Path.home() / ".aws" / name).expanduser()
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from (line.rstrip() for line in file if re.match(r"\s*(\[|(sso_)?region\b)", line))
