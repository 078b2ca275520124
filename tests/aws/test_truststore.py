"""The CA bundle: fetched from a real web server, checked, kept, refreshed; and refused when it is none."""

import datetime as dt
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from rds_iam_magic.aws import truststore
from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.truststore import trust_store
from rds_iam_magic.errors import TrustStoreError
from tests.support.leaks import found_in

pytestmark = pytest.mark.slow  # servers of its own


ENDPOINT = parse_host_name("sandbox.cluster-abc123.us-east-1.rds.amazonaws.com")
PROXY = parse_host_name("app.proxy-abc123.us-east-1.rds.amazonaws.com")


class Server(ThreadingHTTPServer):
    """Answers with what it is given, and counts."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.body, self.headers, self.requests = 200, b"", {}, 0
        self.raw = b""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/global-bundle.pem"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests += 1
        if self.server.raw:
            self.wfile.write(self.server.raw)
            return
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *arguments):
        """Nothing."""


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def web(authority, monkeypatch, tmp_path):
    with Server() as server:
        server.body = authority.cert_pem.bytes()
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        monkeypatch.setenv("RDS_IAM_MAGIC_CA_URL", server.url)
        monkeypatch.setenv("RDS_IAM_MAGIC_CACHE", str(tmp_path / "cache"))
        monkeypatch.delenv("RDS_IAM_MAGIC_CA", raising=False)
        yield server
        server.shutdown()
        thread.join()


def cached(tmp_path):
    return list((tmp_path / "cache").glob("*")) + list((tmp_path / "cache").glob(".*"))


def refused(words, endpoint=ENDPOINT, **options):
    with pytest.raises(TrustStoreError) as caught:
        trust_store(endpoint, **options)
    assert words in str(caught.value), str(caught.value)
    assert len(str(caught.value).splitlines()) == 2


def test_fetched_once_and_kept(web, tmp_path):
    for _ in range(3):
        store = trust_store(ENDPOINT)
        assert store.context.verify_mode is ssl.CERT_REQUIRED
        assert store.context.check_hostname
        assert store.context.minimum_version >= ssl.TLSVersion.TLSv1_2
        assert len(store.context.get_ca_certs()) == 1
        assert store.warning == ""
        assert store.source == web.url
    assert web.requests == 1
    (kept,) = cached(tmp_path)
    assert kept.read_bytes() == web.body


def make_old(tmp_path):
    (kept,) = cached(tmp_path)
    past = time.time() - truststore.MAX_AGE - 60
    os.utime(kept, (past, past))
    return kept


def test_refreshed_when_older_than_thirty_days(web, tmp_path):
    trust_store(ENDPOINT)
    make_old(tmp_path)
    web.body = trustme.CA().cert_pem.bytes()
    trust_store(ENDPOINT)
    assert web.requests == 2
    (kept,) = cached(tmp_path)
    assert kept.read_bytes() == web.body


@pytest.mark.parametrize("trouble", ["down", "error", "html", "empty", "leaf"])
def test_the_old_one_is_used_with_a_warning(web, tmp_path, authority, trouble):
    trust_store(ENDPOINT)
    kept = make_old(tmp_path)
    before = kept.read_bytes()
    if trouble == "down":
        os.environ["RDS_IAM_MAGIC_CA_URL"] = web.url  # the same address, where nobody listens any more
        web.server_close()
    web.status = 500 if trouble == "error" else 200
    web.body = {
        "html": b"<html>Sign in</html>",
        "leaf": authority.issue_cert("a.example").cert_chain_pems[0].bytes(),
    }.get(trouble, b"")
    store = trust_store(ENDPOINT)
    assert "could not be refreshed" in store.warning
    assert len(store.context.get_ca_certs()) == 1
    assert kept.read_bytes() == before


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>Sign in to the Wi-Fi</html>", "not an RDS CA bundle"),
        (b"", "not an RDS CA bundle"),
        (b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n", "not an RDS CA bundle"),
        (b"\xff" * 100, "not an RDS CA bundle"),
        (b"x" * (9 << 20), "larger than 8 MB"),
    ],
)
def test_what_is_no_bundle_is_refused_and_not_kept(web, tmp_path, body, words):
    web.body = body
    refused(words)
    assert cached(tmp_path) == []


def test_a_certificate_that_is_no_authority_is_refused(web, tmp_path, authority):
    web.body = authority.issue_cert("db.example").cert_chain_pems[0].bytes()
    refused("not authorities")
    assert cached(tmp_path) == []


@pytest.mark.parametrize("status", [403, 404, 500])
def test_the_web_server_refuses(web, status):
    web.status = status
    refused("could not be downloaded")


def test_a_bundle_that_came_in_part(web, tmp_path):
    """Cut between two certificates it would look whole, and fail later for want of an authority."""
    web.headers = {"Content-Length": str(2 * len(web.body))}
    refused(f"only {len(web.body)} of {2 * len(web.body)} bytes came")
    assert cached(tmp_path) == []


def test_what_is_no_web_server(web):
    web.raw = b"220 mail.example.com ESMTP\r\n"
    refused("could not be downloaded")


def test_nobody_listens(web):
    web.server_close()
    refused("could not be downloaded")


def test_a_redirect_to_another_scheme(web):
    web.status, web.headers = 302, {"Location": "ftp://127.0.0.1/bundle.pem"}
    refused("could not be downloaded")


def test_a_damaged_copy_is_fetched_anew(web, tmp_path):
    trust_store(ENDPOINT)
    (kept,) = cached(tmp_path)
    kept.write_bytes(web.body[:100])
    trust_store(ENDPOINT)
    assert web.requests == 2
    assert kept.read_bytes() == web.body


@pytest.mark.usefixtures("web")
def test_a_cache_that_cannot_be_written_costs_a_download(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder would be")
    store = trust_store(ENDPOINT)
    assert "could not be kept" in store.warning
    assert len(store.context.get_ca_certs()) == 1


def test_a_path_of_the_users(web, tmp_path, monkeypatch):
    path = tmp_path / "mine.pem"
    path.write_bytes(web.body)
    assert trust_store(ENDPOINT, ca=str(path)).source == str(path)
    monkeypatch.setenv("RDS_IAM_MAGIC_CA", str(path))
    assert trust_store(ENDPOINT).source == str(path)
    assert web.requests == 0
    refused("cannot be read", ca=str(tmp_path / "missing.pem"))
    path.write_text("nothing of the kind")
    refused("not an RDS CA bundle")


def spoilt(pem, how):
    """A bundle as editors, shells and web pages leave it."""
    text = pem.decode()
    return {
        "comment": "# Autorité de certification, 日本\n".encode() + pem,
        "latin-1": "# Autorité\n".encode("latin-1") + pem,
        "between": pem + "Ünd noch einer:\n".encode() + trustme.CA().cert_pem.bytes() + "— Ende\n".encode(),
        "mark": b"\xef\xbb\xbf" + pem,
        "crlf": pem.replace(b"\n", b"\r\n"),
        "cr": pem.replace(b"\n", b"\r"),
        "trailing spaces": pem.replace(b"\n", b"  \n"),
        "no last line end": pem.rstrip(),
        "utf-16": text.encode("utf-16"),
        "utf-16-be": b"\xfe\xff" + text.encode("utf-16-be"),
        "one line": b"-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
        % b"".join(pem.split(b"-----")[2].split()),
        "old label": pem.replace(b" CERTIFICATE", b" X509 CERTIFICATE"),
        "twice": pem + pem,
        "openssl -text": b"Certificate:\n    Data:\n        Version: 3 (0x2)\n" + pem,
        "a list of revocations": pem + b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
        "control characters": b"\x00\x1b[1m\xff\n" + pem,
    }[how]


SPOILT = [
    "comment", "latin-1", "between", "mark", "crlf", "cr", "trailing spaces", "no last line end", "utf-16", "utf-16-be",
    "one line", "old label", "twice", "openssl -text", "a list of revocations", "control characters",
]  # fmt: skip


@pytest.mark.parametrize("how", SPOILT)
@pytest.mark.parametrize("way", ["--ca", "variable", "download"])
def test_what_stands_between_the_certificates_does_not_matter(web, tmp_path, monkeypatch, authority, how, way):
    content = spoilt(authority.cert_pem.bytes(), how)
    path = tmp_path / "mine.pem"
    path.write_bytes(content)
    web.body = content
    if way == "variable":
        monkeypatch.setenv("RDS_IAM_MAGIC_CA", str(path))
    for _ in range(2):
        store = trust_store(ENDPOINT, ca=str(path) if way == "--ca" else None)
        assert len(store.context.get_ca_certs()) == (2 if how == "between" else 1)
        assert store.warning == ""
    assert web.requests == (1 if way == "download" else 0)


def damaged(pem, how):
    import base64

    other = trustme.CA().cert_pem.bytes()
    der = ssl.PEM_cert_to_DER_cert(pem.decode())
    lines = pem.splitlines(keepends=True)
    return {
        "a letter beyond ASCII in a block": pem + other[:100] + "é".encode() + other[100:],
        "cut off": pem + other[: len(other) // 2],
        "no end": pem + other.replace(b"-----END CERTIFICATE-----", b""),
        "no begin": pem + other.replace(b"-----BEGIN CERTIFICATE-----", b""),
        "four dashes": pem + other.replace(b"-----BEGIN CERTIFICATE-----", b"----BEGIN CERTIFICATE----"),
        "glued": pem.rstrip() + other,
        "a line is missing": pem + b"".join(other.splitlines(keepends=True)[:3] + other.splitlines(keepends=True)[4:]),
        "indented": b"".join(b"  " + line for line in lines),
        "der": der,
        "base64 alone": base64.encodebytes(der),
        "trusted": pem.replace(b" CERTIFICATE", b" TRUSTED CERTIFICATE"),
        "pkcs7": pem.replace(b" CERTIFICATE", b" PKCS7"),
        "a request": pem.replace(b" CERTIFICATE", b" CERTIFICATE REQUEST"),
        "a key": trustme.CA().private_key_pem.bytes(),
        "comments": "# nur Kommentar: é\n".encode(),
        "many spaces": b"-----BEGIN " + b" " * (4 << 20),
    }[how]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("a letter beyond ASCII in a block", "damaged"),
        ("cut off", "damaged or cut off"),
        ("no end", "damaged or cut off"),
        ("no begin", "damaged or cut off"),
        ("four dashes", "damaged"),
        ("glued", "damaged"),
        ("a line is missing", "damaged"),
        ("indented", "damaged"),
        ("der", r"binary \(DER\)"),
        ("base64 alone", "no certificates"),
        ("trusted", "TRUSTED CERTIFICATE"),
        ("pkcs7", "PKCS #7"),
        ("a request", "no certificates"),
        ("a key", "no certificates"),
        ("comments", "no certificates"),
        ("many spaces", "no certificates"),
    ],
)
def test_a_bundle_that_is_damaged_or_of_another_form(web, tmp_path, authority, how, words):
    web.body = damaged(authority.cert_pem.bytes(), how)
    path = tmp_path / "mine.pem"
    path.write_bytes(web.body)
    for options in ({}, {"ca": str(path)}):
        with pytest.raises(TrustStoreError, match=words) as caught:
            trust_store(ENDPOINT, **options)
        assert "is not an RDS CA bundle" in caught.value.message
    assert cached(tmp_path) == []


@pytest.mark.parametrize("path", [".", "\0", "~nobody-of-that-name/x.pem", "/dev/zero"])
def test_a_path_that_is_no_bundle(path):
    refused("larger than 8 MB" if path == "/dev/zero" else "cannot be read", ca=path)


@pytest.mark.usefixtures("web")
def test_a_proxy_gets_the_public_roots_too():
    roots = len(trust_store(PROXY).context.get_ca_certs())
    assert roots > 50
    assert len(trust_store(ENDPOINT).context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/bundle.pem",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "nonsense",
        "https://",
        "https://[::1",
        "https://example.com:x/",
        "https://user:h1dden@example.com/bundle.pem",
        "http://h1dden@127.0.0.1/bundle.pem",
    ],
)
def test_only_https_or_loopback(monkeypatch, url):
    monkeypatch.setenv("RDS_IAM_MAGIC_CA_URL", url)
    with pytest.raises(TrustStoreError, match="not an https:// address") as caught:
        trust_store(ENDPOINT)
    assert "h1dden" not in found_in(caught.value)


def test_the_query_of_a_presigned_address_is_not_shown(web, monkeypatch):
    monkeypatch.setenv("RDS_IAM_MAGIC_CA_URL", f"{web.url}?X-Amz-Signature=h1dden")
    store = trust_store(ENDPOINT)
    assert store.source == web.url
    for status, body in ((403, b""), (200, b"nonsense")):
        web.status, web.body = status, body
        monkeypatch.setenv("RDS_IAM_MAGIC_CA_URL", f"{web.url}?{status}&X-Amz-Signature=h1dden")
        with pytest.raises(TrustStoreError) as caught:
            trust_store(ENDPOINT)
        assert "h1dden" not in str(caught.value)


def test_a_proxy_with_a_password_is_not_quoted(monkeypatch, tmp_path):
    monkeypatch.delenv("RDS_IAM_MAGIC_CA", raising=False)
    monkeypatch.setenv("RDS_IAM_MAGIC_CACHE", str(tmp_path))
    monkeypatch.setenv("RDS_IAM_MAGIC_CA_URL", "https://bundle.invalid/x.pem")
    for proxy in ("http://user:h1dden@127.0.0.1:1", "http://user:h1dden@127.0.0.1:x", "http://127.0.0.1:h1dden"):
        monkeypatch.setenv("https_proxy", proxy)
        with pytest.raises(TrustStoreError, match="could not be downloaded") as caught:
            trust_store(ENDPOINT)
        assert "h1dden" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("a.cluster-x1.eu-west-1.rds.amazonaws.com", "https://truststore.pki.rds.amazonaws.com/global/"),
        (
            "a.cluster-x1.us-gov-west-1.rds.amazonaws.com",
            "https://truststore.pki.us-gov-west-1.rds.amazonaws.com/global/",
        ),
        (
            "a.cluster-x1.rds.cn-north-1.amazonaws.com.cn",
            "https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/",
        ),
    ],
)
def test_each_partition_has_its_bundle(monkeypatch, host, url):
    monkeypatch.delenv("RDS_IAM_MAGIC_CA_URL", raising=False)
    assert truststore._bundle_url(parse_host_name(host)) == f"{url}global-bundle.pem"


def test_a_partition_without_a_public_bundle(monkeypatch):
    monkeypatch.delenv("RDS_IAM_MAGIC_CA_URL", raising=False)
    monkeypatch.delenv("RDS_IAM_MAGIC_CA", raising=False)
    for host, partition in (
        ("a.x1.us-iso-east-1.rds.c2s.ic.gov", "aws-iso"),
        ("a.x1.eusc-de-east-1.rds.amazonaws.eu", "aws-eusc"),
    ):
        refused(f"No address of a CA bundle is known for the partition {partition}", parse_host_name(host))


@pytest.fixture
def company(web, monkeypatch):
    """The web server over TLS, with a certificate of a company's own authority; that authority."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    web.socket = context.wrap_socket(web.socket, server_side=True)
    monkeypatch.setenv("RDS_IAM_MAGIC_CA_URL", f"https://localhost:{web.server_address[1]}/global-bundle.pem")
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return authority


@pytest.mark.parametrize(
    "variables",
    [
        {"AWS_CA_BUNDLE": "company.pem"},
        {"REQUESTS_CA_BUNDLE": "company.pem"},
        {"AWS_CA_BUNDLE": "company.pem", "REQUESTS_CA_BUNDLE": "missing.pem"},
        {"AWS_CA_BUNDLE": "", "REQUESTS_CA_BUNDLE": "company.pem"},
    ],
)
def test_a_companys_ca_is_trusted_for_the_download_only(company, web, authority, tmp_path, monkeypatch, variables):
    """The proxies of companies answer with certificates of their own; no database has one of those."""
    company.cert_pem.write_to_path(tmp_path / "company.pem")
    for variable, value in variables.items():
        monkeypatch.setenv(variable, str(tmp_path / value) if value else "")
    store = trust_store(ENDPOINT)
    assert web.requests == 1
    expected = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode()).get_ca_certs(binary_form=True)
    assert store.context.get_ca_certs(binary_form=True) == expected[-1:]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the names of the files in such a folder are OpenSSL's")
def test_a_folder_of_cas(company, web, tmp_path, monkeypatch):
    company.cert_pem.write_to_path(tmp_path / "company.pem")
    subprocess.run(["openssl", "rehash", tmp_path], check=True, capture_output=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    assert len(trust_store(ENDPOINT).context.get_ca_certs()) == web.requests == 1


def test_without_the_companys_ca_the_variable_is_named(company, web, tmp_path, monkeypatch):
    assert company
    refused("certificate verify failed")
    refused("AWS_CA_BUNDLE")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    refused("AWS_CA_BUNDLE could not be read: No such file or directory")
    (tmp_path / "empty.pem").write_text("nothing")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "empty.pem"))
    refused("AWS_CA_BUNDLE could not be read: ")
    assert web.requests == 0


def test_a_ca_variable_that_is_not_needed_does_no_harm(web, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    assert trust_store(ENDPOINT).source == web.url


def test_a_verified_session(authority, tmp_path):
    """The context does verify: the right name passes, another and an expired certificate do not."""
    import socket

    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    context = trust_store(ENDPOINT, ca=str(path)).context
    past = dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)
    for names, options, passes in (
        ([ENDPOINT.host], {}, True),
        (["other.example"], {}, False),
        ([ENDPOINT.host], {"not_after": past}, False),
    ):
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names, **options).configure_cert(server)
        left, right = socket.socketpair()
        with left, right:
            thread = threading.Thread(target=_serve, args=[server, right])
            thread.start()
            try:
                context.wrap_socket(left, server_hostname=ENDPOINT.host).close()
                verified = True
            except ssl.SSLCertVerificationError:
                verified = False
                left.close()
            thread.join()
            assert verified == passes


def _serve(context, sock):
    try:
        context.wrap_socket(sock, server_side=True).close()
    except OSError:
        return


def test_a_download_may_have_less_time(web, monkeypatch):
    """A web server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("RDS_IAM_MAGIC_CA_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/global-bundle.pem")
        with pytest.raises(TrustStoreError, match="timed out"):
            trust_store(ENDPOINT, timeout=0.1)
    assert web.requests == 0
