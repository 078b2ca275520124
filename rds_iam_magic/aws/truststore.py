"""The CA bundle for RDS's certificates: download, check, cache, refresh → `ssl.SSLContext`.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
"""

from __future__ import annotations

import hashlib
import os
import ssl
import tempfile
import time
from dataclasses import dataclass
from http.client import HTTPException, InvalidURL, responses
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from rds_iam_magic.aws.endpoint import Endpoint, Kind
from rds_iam_magic.aws.pem import PemError, certificates
from rds_iam_magic.background import in_background
from rds_iam_magic.errors import TrustStoreError

MAX_AGE = 30 * 24 * 3600
"""Seconds after which a cached bundle is downloaded again; AWS adds CAs years before they are needed."""

_MAX_BYTES = 8 << 20
_TIMEOUT = 20.0
_BUNDLES = {  # partition → where AWS publishes its bundle; for the others no address is known
    "aws": "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem",
    "aws-us-gov": "https://truststore.pki.us-gov-west-1.rds.amazonaws.com/global/global-bundle.pem",
    "aws-cn": "https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem",
}


@dataclass(frozen=True, slots=True)
class TrustStore:
    """A context that verifies certificate and host name, the origin of its CA certificates, and a warning or ""."""

    context: ssl.SSLContext
    source: str
    warning: str = ""


def trust_store(endpoint: Endpoint, *, ca: str | None = None, timeout: float = _TIMEOUT) -> TrustStore:
    """The trust store for an endpoint.

    Args:
        endpoint: Its partition chooses the bundle; an RDS Proxy gets Amazon's public roots too.
        ca: A bundle's path, for machines without internet; default: `RDS_IAM_MAGIC_CA`, else the cached download.
        timeout: Seconds for each step of a download.

    Raises:
        TrustStoreError: The bundle cannot be read or downloaded, or does not consist of CA certificates.
    """
    path = ca or os.environ.get("RDS_IAM_MAGIC_CA")
    if path:
        pem, source, warning = _read(path), path, ""
    else:
        url = _bundle_url(endpoint)
        source = _shown(url)
        pem, warning = _cached(url, timeout)
    return TrustStore(_context(pem, source, with_public_roots=endpoint.kind is Kind.PROXY), source, warning)


def cache_folder() -> Path:
    """The folder for cached bundles: `RDS_IAM_MAGIC_CACHE`, else in the user's cache folder."""
    override = os.environ.get("RDS_IAM_MAGIC_CACHE")
    if override:
        return Path(override)
    from platformdirs import user_cache_path

    return user_cache_path("rds_iam_magic", appauthor=False)


def check_bundle(pem: bytes, source: str) -> None:
    """Check that a file consists of CA certificates.

    Raises:
        TrustStoreError: It is empty, not PEM (a proxy's HTML page, for instance), or contains other certificates.
    """
    _context(pem, source, with_public_roots=False)


def _context(pem: bytes, source: str, *, with_public_roots: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host name by default
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        for certificate in certificates(pem):
            context.load_verify_locations(cadata=certificate)
    except PemError as error:
        raise _no_bundle(source, str(error), "") from None
    except (ssl.SSLError, ValueError) as error:
        raise _no_bundle(source, "it holds no readable certificates: one is damaged", str(error)) from None
    stats = context.cert_store_stats()
    if not stats["x509"]:
        raise _no_bundle(source, "it holds no certificates", "")
    if stats["x509_ca"] != stats["x509"]:
        raise _no_bundle(source, "it holds certificates that are not authorities", "")
    if with_public_roots:
        # RDS Proxy's certificates come from AWS Certificate Manager, whose roots are public.
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _no_bundle(source: str, why: str, detail: str) -> TrustStoreError:
    return TrustStoreError(
        f"{source} is not an RDS CA bundle: {why}.",
        detail=detail,
        cause="ca-bundle-invalid",
    )


def _read(path: str) -> bytes:
    try:
        with Path(path).expanduser().open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:  # ValueError: a NUL in it; RuntimeError: no home for `~`
        why = getattr(error, "strerror", None) or "that is no path"
        raise TrustStoreError(f"The CA bundle {path} cannot be read: {why}.", cause="ca-bundle-unreadable") from None
    if len(data) > _MAX_BYTES:
        raise _no_bundle(path, "it is larger than 8 MB", "")
    return data


def _bundle_url(endpoint: Endpoint) -> str:
    override = os.environ.get("RDS_IAM_MAGIC_CA_URL")
    if override:
        if not _is_allowed(override):
            del override  # it may contain a password, and a traceback shows this frame's locals
            raise TrustStoreError(
                "RDS_IAM_MAGIC_CA_URL is not an https:// address without a login.",
                cause="ca-url-invalid",
            )
        return override
    if endpoint.partition not in _BUNDLES:
        raise TrustStoreError(
            f"No address of a CA bundle is known for the partition {endpoint.partition}.",
            cause="ca-bundle-unpublished",
        )
    return _BUNDLES[endpoint.partition]


def _is_allowed(url: str) -> bool:
    try:
        parts = urlsplit(url)
        local = parts.hostname in {"127.0.0.1", "::1", "localhost"}
        valid = bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:  # half an IPv6 address, a port that is no number
        return False
    return valid and (parts.scheme == "https" or (parts.scheme == "http" and local))


def _shown(url: str) -> str:
    """A URL without its query, which in a presigned URL grants access."""
    return url.partition("?")[0].partition("#")[0]


def _cached(url: str, timeout: float) -> tuple[bytes, str]:
    """The bundle's content and a warning; downloaded if the cached one is missing, damaged or older than `MAX_AGE`."""
    path = cache_folder() / f"ca-{hashlib.sha256(url.encode()).hexdigest()[:16]}.pem"
    old = _usable(path, url)
    if old is not None and time.time() - path.stat().st_mtime < MAX_AGE:
        return old, ""
    try:
        pem = in_background(lambda: _download(url, timeout))
        check_bundle(pem, _shown(url))
    except TrustStoreError as error:
        if old is None:
            raise
        return (
            old,
            f"The CA bundle is over 30 days old and could not be refreshed: {error.message} The old one is used.",
        )
    return pem, _store(path, pem)


def _usable(path: Path, url: str) -> bytes | None:
    try:
        pem = path.read_bytes()
        check_bundle(pem, _shown(url))
    except (OSError, TrustStoreError):
        return None
    return pem


def _download(url: str, timeout: float) -> bytes:
    context, unread = _web_context()
    # The URL is AWS's own or checked in _bundle_url; a redirect may not leave https.
    request = Request(url, headers={"User-Agent": "rds_iam_magic"})  # noqa: S310 - see above
    try:
        with urlopen(request, timeout=timeout, context=context) as answer:  # noqa: S310 - see above
            if urlsplit(answer.url).scheme != urlsplit(url).scheme:
                raise _not_fetched(url, "it redirects away from https")
            body = answer.read(_MAX_BYTES + 1)
            promised = answer.headers.get("Content-Length")
    except HTTPError as error:
        error.close()  # the error is the response itself
        status = f"{error.code} {responses.get(error.code, '')}".rstrip()
        raise _not_fetched(url, f"the web server answers {status}") from None
    except (InvalidURL, ValueError):  # their message quotes the URL or a proxy's, which may contain a password
        raise _not_fetched(url, "the address, or that of the proxy, is not valid") from None
    except (URLError, HTTPException, OSError) as error:
        words = str(getattr(error, "reason", error)).split()
        reason = " ".join(words)[:200] or type(error).__name__
        raise _not_fetched(url, f"{reason}; {unread}" if unread else reason) from None
    if len(body) > _MAX_BYTES:
        raise _not_fetched(url, "it is larger than 8 MB")
    if promised is not None and promised != str(len(body)):
        raise _not_fetched(url, f"only {len(body)} of {promised} bytes came")
    return bytes(body)


_COMPANY_CAS = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
"""The variables with a company's own CAs, in boto3's order; the first that is set counts."""


def _web_context() -> tuple[ssl.SSLContext, str]:
    """A context for downloads, never for a database; and which CAs could not be read, or ""."""
    import certifi

    # The system's CAs or, where there are none, certifi's.
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    name = next(filter(os.environ.get, _COMPANY_CAS), None)
    if name is None:
        return context, ""
    path = os.environ[name]
    try:
        context.load_verify_locations(*((None, path) if Path(path).is_dir() else (path, None)))
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; ValueError: a NUL in the path
        return context, f"{name} could not be read: {getattr(error, 'strerror', None) or 'it is no path'}"
    return context, ""


def _not_fetched(url: str, why: str) -> TrustStoreError:
    return TrustStoreError(
        f"The RDS CA bundle could not be downloaded from {_shown(url)}: {why}.",
        cause="ca-bundle-unavailable",
    )


def _store(path: Path, pem: bytes) -> str:
    """Write atomically; if the cache is not writable, only the next download is wasted."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=".ca-", delete=False) as file:
            temporary = Path(file.name)
            file.write(pem)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        return f"The CA bundle could not be kept in {path.parent}: {error.strerror}. It is fetched again next time."
    return ""
