"""A handshake that failed, in the user's words: by the server's number, by what TLS said, by what broke; no server."""

import ssl

import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.errors import AccessDeniedError, ConnectError, CredentialsError, TlsError, UnreachableError
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.driver import HandshakeFailure
from rds_iam_magic.mysql.login import Login
from rds_iam_magic.mysql.login_errors import error_for

HOST = "sandbox.cluster-abc123.us-east-1.rds.amazonaws.com"


def login(**changes):
    fields = {
        "endpoint": parse_host_name(HOST),
        "user": "analyst",
        "credential": lambda: Token(Secret("t0ken")),
        "context": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        "trust_source": "bundle.pem",
        "database": "sales",
    }
    return Login(**fields | changes)


def failure(code=0, message="words.", cause=None, *, token_asked=False, mariadb=False):
    return HandshakeFailure(code, message, cause, token_asked, mariadb)


@pytest.mark.parametrize(
    ("code", "cause", "words"),
    [
        (1040, "too-many-connections", "has no free connection"),
        (1044, "database-denied", "no privileges on database sales"),
        (1049, "database-unknown", "there is no database sales"),
        (1129, "host-blocked", "blocks this machine"),
        (1524, "iam-plugin-missing", "IAM authentication is off"),
        (1203, "too-many-user-connections", "analyst has reached the maximum number of connections"),
        (1226, "user-limit-reached", "analyst has reached a resource limit"),
        (9501, "proxy-cannot-reach-database", "RDS Proxy"),
        (1130, "login-refused", "refused analyst: words (1130)"),
        (3118, "login-refused", "refused analyst: words (3118)"),
    ],
)
@pytest.mark.parametrize("is_token", [True, False])
def test_by_the_servers_number(code, cause, words, is_token):
    error = error_for(login(), failure(code), is_token=is_token)
    assert type(error) is ConnectError
    assert error.cause == cause
    assert words in error.message
    assert f"({code})" in error.message
    assert error.hint


def test_a_password_that_is_rejected():
    error = error_for(login(), failure(1045), is_token=False)
    assert isinstance(error, AccessDeniedError)
    assert error.cause == "password-denied"


def test_a_token_that_is_rejected():
    error = error_for(login(), failure(1045, token_asked=True), is_token=True)
    assert isinstance(error, AccessDeniedError)
    assert error.cause == "iam-denied"
    assert "rds-db:connect" in error.message


def test_a_user_that_is_asked_for_no_token():
    error = error_for(login(diagnose_credentials=lambda: pytest.fail("AWS has no say")), failure(1045), is_token=True)
    assert error.cause == "user-unknown"


def test_mariadb_asks_for_a_token_for_users_that_it_does_not_know_too():
    error = error_for(login(), failure(1045, token_asked=True, mariadb=True), is_token=True)
    assert isinstance(error, AccessDeniedError)
    assert error.cause == "user-or-iam-denied"
    assert error.message.index("no such user") < error.message.index("rds-db:connect")
    assert error.hint.index("spelling and case") < error.hint.index("IAM identity")


def test_mariadb_knows_no_iam_user_if_it_did_not_ask():
    error = error_for(login(), failure(1045, mariadb=True), is_token=True)
    assert error.cause == "user-unknown"


def test_a_proxy_that_asks_for_no_token_has_no_secret_for_the_user():
    endpoint = parse_host_name("app.proxy-abc123.us-east-1.rds.amazonaws.com")
    error = error_for(login(endpoint=endpoint), failure(1045), is_token=True)
    assert error.cause == "proxy-user-unknown"
    assert "secret" in error.message
    assert "secret" in error.hint


def test_a_proxy_that_throttles_logins_is_no_matter_of_idle_connections():
    error = error_for(login(), failure(1040, "IAM authentication rate limit exceeded"), is_token=True)
    assert error.cause == "iam-throttled"
    assert "rate limit exceeded (1040)" in error.message
    assert "Wait a minute" in error.hint


def test_what_aws_says_of_the_credentials_comes_first():
    expired = CredentialsError("The credentials have expired.")
    error = error_for(login(diagnose_credentials=lambda: expired), failure(1045, token_asked=True), is_token=True)
    assert error is expired


@pytest.mark.parametrize(
    ("code", "cause", "words"),
    [
        (62, "tls-name-mismatch", "is for another host"),
        (64, "tls-name-mismatch", "is for another host"),
        (9, "tls-expired", "has expired or is not valid yet"),
        (10, "tls-expired", "has expired or is not valid yet"),
        (18, "tls-untrusted", "not signed by an authority"),
        (20, "tls-untrusted", "not signed by an authority"),
    ],
)
def test_by_what_tls_says(code, cause, words):
    problem = ssl.SSLCertVerificationError(1, "the library's words")
    problem.verify_code = code
    error = error_for(login(), failure(2003, cause=problem), is_token=True)
    assert isinstance(error, TlsError)
    assert error.cause == cause
    assert words in error.message
    assert error.message.endswith("nothing was sent.")
    assert "the library's words" in error.detail


def test_a_server_that_answers_in_plain_text():
    incoming = ssl.MemoryBIO()
    incoming.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    session = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(incoming, ssl.MemoryBIO(), server_hostname=HOST)
    with pytest.raises(ssl.SSLError) as caught:
        session.do_handshake()
    error = error_for(login(), failure(2003, cause=caught.value), is_token=True)
    assert isinstance(error, TlsError)
    assert error.cause == TlsError.cause
    assert error.message.startswith(f"TLS with {HOST}:3306 failed: ")
    assert error.message.endswith("nothing was sent.")


def test_a_server_that_does_not_speak():
    error = error_for(login(), failure(2013, cause=TimeoutError("timed out")), is_token=True)
    assert isinstance(error, UnreachableError)
    assert error.cause == "not-mysql"


@pytest.mark.parametrize("cause", [None, ConnectionResetError(104, "reset by peer"), EOFError("nothing")])
def test_what_else_may_break(cause):
    error = error_for(login(), failure(2013, "Lost connection", cause), is_token=True)
    assert type(error) is ConnectError
    assert "Lost connection (2013)" in error.message
    assert error.detail == str(cause or "")


def test_a_tunnel_is_named_beside_its_endpoint():
    error = error_for(login(via=Address("127.0.0.1", 3307)), failure(1040), is_token=True)
    assert f"{HOST}:3306, dialled at 127.0.0.1:3307 has no free connection" in error.message
