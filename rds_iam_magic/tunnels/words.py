"""What a tunnel's program has printed → the words that an error repeats, without secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_SECRET = re.compile(
    r"(?P<name>\b(?:\w{0,40}?(?:token|secret|password)\w{0,40}|x-amz-[\w-]{1,40})[\"']?\s{0,9}[:=]\s{0,9}[\"']?)"
    r"[^\s\"',;&]+"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{12,}"  # access keys
    r"|(?<!SHA256:)[A-Za-z0-9+/=_-]{100,}",  # tokens; a host key's fingerprint is shorter, and told
    re.IGNORECASE,
)
_MOST = 300  # characters of an error's message


def masking(secrets: Iterable[str | None]) -> Callable[[str], str]:
    """A function that puts `…` in the place of the given secrets and of what looks like one."""
    known = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def mask(text: str) -> str:
        for secret in known:
            text = text.replace(secret, "…")
        return _SECRET.sub(lambda match: f"{match['name'] or ''}…", text)

    return mask


def said(output: str, chatter: re.Pattern[str]) -> list[str]:
    """The lines that say something: neither empty nor chatter."""
    lines = (line.strip() for line in re.split(r"[\r\n]+", output))
    return [line for line in lines if line and not chatter.match(line)]


def last_words(lines: list[str], count: int = 2) -> str:
    """The last lines as one, without a full stop; "" if there is none."""
    text = " ".join(lines[-count:]).rstrip(".")
    text = "".join(character if character.isprintable() else "�" for character in text)
    return text if len(text) <= _MOST else f"…{text[-_MOST:]}"
