"""A CA bundle's bytes → its certificates, parsed as OpenSSL does, but without skipping damaged blocks.

Text between the blocks is ignored, in any encoding: comments, names, line ends of any platform. But a damaged block is
an error, since a bundle that lacks a CA fails later and elsewhere.
https://www.rfc-editor.org/rfc/rfc7468
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterator

_READ = ("CERTIFICATE", "X509 CERTIFICATE")
_REFUSED = {
    "TRUSTED CERTIFICATE": "it holds a TRUSTED CERTIFICATE; openssl x509 -in FILE makes a plain one of it",
    "PKCS7": "it is a PKCS #7 file; openssl pkcs7 -print_certs -in FILE makes PEM of it",
    "CMS": "it is a CMS file, not PEM certificates",
}
# A line that looks like the start of a block. Loose, so that a damaged one is not taken for a comment.
_BEGIN = re.compile(r"^[ \t]*-{2,}[ \t]*BEGIN[ \t]+(?P<label>[A-Z0-9 ]{0,60})", re.MULTILINE)
_END = re.compile(r"^[ \t]*-{2,}[ \t]*END[ \t]+(X509 )?CERTIFICATE-", re.MULTILINE)
_BLOCK = re.compile(
    r"-----BEGIN (?P<label>[A-Z0-9 ]+)-----[ \t]*\n(?P<body>[^-]*)\n-----END (?P=label)-----[ \t]*(?:\n|\Z)"
)
_DAMAGED = "it holds no readable certificates: one in it is damaged or cut off"
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}  # what PowerShell's `>` writes


class PemError(Exception):
    """The bytes are not PEM certificates; the message says why, as in "it is damaged"."""


def certificates(data: bytes) -> Iterator[bytes]:
    """Each certificate of a bundle, in DER.

    Raises:
        PemError: A block is damaged, or the file is not PEM.
    """
    text = _text(data)
    count = 0
    for begin in _BEGIN.finditer(text):
        label = begin["label"].strip()
        if label in _REFUSED:
            raise PemError(_REFUSED[label])
        if label not in _READ:
            continue  # a CRL or a key, which OpenSSL skips too
        block = _BLOCK.match(text, begin.start())
        if block is None:
            raise PemError(_DAMAGED)
        count += 1
        yield _decoded(block["body"])
    if count != len(_END.findall(text)):
        raise PemError(_DAMAGED)
    if not count and data[:1] == b"\x30" and b"\0" in data:
        raise PemError("it is a binary (DER) file; openssl x509 -inform der -in FILE converts it to PEM")


def _text(data: bytes) -> str:
    """Decode ASCII; other bytes become characters that are not valid in a block."""
    encoding = next((name for mark, name in _UTF_16.items() if data.startswith(mark)), None)
    if encoding is not None:
        text = data[2:].decode(encoding, errors="replace")
    else:
        text = data.removeprefix(codecs.BOM_UTF8).decode("ascii", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(body: str) -> bytes:
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise PemError(_DAMAGED) from None
