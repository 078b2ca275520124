"""A CA bundle's bytes, read as certificates: whatever stands between them; a damaged one is refused, never skipped."""

import base64

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.aws.pem import PemError, certificates

AUTHORITIES = [trustme.CA().cert_pem.bytes() for _ in range(2)]
BUNDLE = b"".join(AUTHORITIES)


def der_of(pem):
    return base64.b64decode(b"".join(pem.splitlines()[1:-1]))


EXPECTED = [der_of(pem) for pem in AUTHORITIES]


@pytest.mark.parametrize(
    "data",
    [
        BUNDLE,
        BUNDLE.replace(b"\n", b"\r\n"),
        BUNDLE.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + BUNDLE,
        BUNDLE.decode().encode("utf-16"),
        b"# a comment\n" + AUTHORITIES[0] + "größe\n".encode("latin-1") + AUTHORITIES[1],
        BUNDLE.replace(b"BEGIN CERT", b"BEGIN X509 CERT").replace(b"END CERT", b"END X509 CERT"),
        b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n" + BUNDLE,
        BUNDLE.rstrip(),
    ],
    ids=["plain", "Windows", "old Mac", "a mark", "UTF-16", "texts between", "X509", "a list of revocations", "no end"],
)
def test_certificates(data):
    assert list(certificates(data)) == EXPECTED


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (BUNDLE[:-40], "damaged"),
        (BUNDLE.replace(b"-----BEGIN", b"----BEGIN", 1), "damaged"),
        (BUNDLE.replace(b"-----END CERT", b"-----END CART", 1), "damaged"),
        (BUNDLE.replace(b"\nMII", b"\nM!I", 1), "damaged"),
        (BUNDLE.partition(b"\n")[2], "damaged"),
        (BUNDLE.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"), "TRUSTED CERTIFICATE"),
        (b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n", "PKCS #7"),
        (b"-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n", "CMS"),
        (EXPECTED[0], r"binary \(DER\)"),
    ],
)
def test_what_cannot_be_read(data, words):
    with pytest.raises(PemError, match=words):
        list(certificates(data))


@pytest.mark.parametrize("data", [b"", b"nothing of the kind\n", b"0\x00"[:1]])
def test_no_certificates(data):
    assert list(certificates(data)) == []


@given(st.integers(0, len(BUNDLE) - 1))
def test_a_bundle_that_is_cut_off_gives_all_or_an_error(end):
    """But for a cut between two certificates, which nothing tells."""
    try:
        read = list(certificates(BUNDLE[:end]))
    except PemError:
        return
    assert read == EXPECTED[: len(read)]
    assert BUNDLE[:end].count(b"BEGIN CERTIFICATE-----") == len(read)


@given(st.binary(max_size=300))
def test_any_bytes_are_certificates_or_an_error(data):
    try:
        read = list(certificates(data))
    except PemError:
        return
    assert all(each for each in read)
