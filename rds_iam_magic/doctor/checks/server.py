"""One attempt to log in, as `%rds_iam_connect` makes it: TCP, TLS, the server's answer to the token, the privileges.

What keeps a token from being signed does not keep TCP and TLS from being looked at: then the handshake ends with TLS,
before even the user's name is sent. The session is closed at once.
"""

from __future__ import annotations

import datetime as dt
import re
import ssl
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.aws.token import sign_token
from rds_iam_magic.aws.truststore import TrustStore, trust_store
from rds_iam_magic.background import BackgroundCall
from rds_iam_magic.connect_options import RESUME_TIMEOUT
from rds_iam_magic.connecting import login_to
from rds_iam_magic.doctor.checks.check import LIMIT, Check, Tools
from rds_iam_magic.doctor.evidence import (
    Answer,
    Evidence,
    Failed,
    Grants,
    Keys,
    Network,
    NotLooked,
    Problem,
    Target,
    Tls,
    Unknown,
)
from rds_iam_magic.errors import RdsIamError, TlsError, TrustStoreError, TunnelError, UnreachableError
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.driver import HandshakeError, HandshakeFailure, open_session, verify_tls
from rds_iam_magic.mysql.own_queries import fetch_all, fetch_one
from rds_iam_magic.tunnels.choice import check_ways
from rds_iam_magic.wording import limit_text

if TYPE_CHECKING:
    from rds_iam_magic.aws.endpoint import Endpoint
    from rds_iam_magic.connect_options import ConnectOptions
    from rds_iam_magic.mysql.login import Login
    from rds_iam_magic.mysql.session import ServerSession

ATTEMPT = 5.0
"""Seconds for an attempt: TCP has `LIMIT` of them, the rest is for the many round trips of a login from far away."""

TUNNEL = 6.0
"""Seconds for an attempt through a tunnel that has to be opened first."""

_SECOND_LOOK = 1.5  # seconds for the names in a certificate
_QUERY = 2.0  # seconds for each query after the login
_SCHEMA = (1044, 1049)
"""The server's numbers for a user who is let in, but not with that schema."""

_OF_TCP = {
    "name-unknown": "name",
    "name-lookup-timeout": "name-slow",
    "address-silent": "silent",
    "address-unreachable": "unreachable",
}
_OF_TLS = {
    "tls-not-offered": "not-offered",
    "tls-untrusted": "untrusted",
    "tls-name-mismatch": "name",
    "tls-expired": "expired",
}
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, which Python's ssl has no name for
_WORD = re.compile(r"[^\s'\"]+")
_CLIENT = re.compile(r"@'([^'@]*)'")


def attempt(tools: Tools, evidence: Evidence) -> Evidence:
    """Fill `network`, `tls`, `answer` and `grants`."""
    check_ways(tools.options)
    assert isinstance(evidence.target, Target)  # noqa: S101 - it is needed
    if tools.options.ssm is not None and not _has_keys(evidence):
        unknown = NotLooked("credentials")  # the way itself takes credentials
        return replace(evidence, network=unknown, tls=unknown, answer=unknown, grants=unknown)
    endpoint = evidence.target.endpoint
    trust = trust_within_limit(tools, endpoint)
    with suppress(RdsIamError):  # for a tunnel by SSM, and for the token
        _ = tools.session
    return _Attempt(tools, evidence, endpoint, trust).made()


def trust_within_limit(tools: Tools, endpoint: Endpoint) -> TrustStore | TrustStoreError:
    """The trust store; the error if there is none, or none within the limit: looking up a name knows no limit."""
    call = BackgroundCall(lambda: trust_store(endpoint, ca=tools.options.ca, timeout=tools.seconds))
    call.start()
    if not call.wait(tools.seconds):
        return TrustStoreError(
            f"The RDS CA bundle could not be downloaded within {limit_text(tools.seconds)}.",
            cause="ca-bundle-unavailable",
        )
    try:
        return call.result()
    except TrustStoreError as error:
        return error


def quick_options(tools: Tools) -> ConnectOptions:
    """The options for a login that gives up within seconds."""
    options = tools.options
    through = options.ssm is not None or options.ssh is not None
    return replace(options, wait=False, connect_timeout=tools.patience * (TUNNEL if through else ATTEMPT))


class _Attempt:
    """The attempt, and what is noted on the way. It is also what `Login` opens a session by."""

    def __init__(
        self, tools: Tools, evidence: Evidence, endpoint: Endpoint, trust: TrustStore | TrustStoreError
    ) -> None:
        self._tools = tools
        self._evidence = evidence
        self._endpoint = endpoint
        self._no_trust = trust if isinstance(trust, TrustStoreError) else None
        # Without a single authority, nothing is verified: as far as TLS, TCP is looked at all the same.
        self._trust = TrustStore(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "") if self._no_trust else trust
        self._token = self._signed()
        self._address = Address(endpoint.host, endpoint.port)
        self._failure: HandshakeFailure | None = None
        self._seconds = _QUERY * tools.patience
        self._names: tuple[str, ...] = ()

    def _signed(self) -> Token | None:
        """The token; None if there is none to be had, or none that may be sent."""
        if not _has_keys(self._evidence) or self._no_trust is not None:
            return None
        try:
            return Token(sign_token(self._tools.session, self._endpoint, self._evidence.asked.user))
        except RdsIamError:
            return None

    def made(self) -> Evidence:
        """Log in, or go as far as TLS, and give the evidence."""
        session = None
        with suppress(RdsIamError):
            session = self._tools.session
        login = login_to(
            quick_options(self._tools),
            session,
            self._endpoint,
            self._evidence.asked.user,
            lambda: self._token or Token(Secret("")),
            database=self._evidence.asked.database,
            trust=self._trust if isinstance(self._trust, TrustStore) else None,
            notify=lambda _: None,
        )
        at = dt.datetime.now(dt.timezone.utc)
        login.hold(self)
        try:
            seen = self._with_answer(login)
        finally:
            login.release(self)
        return replace(seen, answer=replace(seen.answer, at=at)) if isinstance(seen.answer, Answer) else seen

    def __call__(self, address: Address, **login: Any) -> ServerSession | _NoSession:
        """As `driver.open_session` is called; notes how far it came."""
        self._address, self._failure = address, None
        try:
            if self._token is None:
                of_tls = {name: login[name] for name in ("host", "context", "timeout")}
                self._names = verify_tls(address, dial_timeout=self._tools.seconds, **of_tls)
                return _NoSession()
            session = open_session(address, dial_timeout=self._tools.seconds, **login)
        except HandshakeError as error:
            self._failure = error.failure
            raise
        if not session.token_asked:
            message = "the server let the user in without a token"
            self._failure = HandshakeFailure(1045, message, None, token_asked=False)
        return session

    def _with_answer(self, login: Login) -> Evidence:
        way = login.way or str(self._endpoint)
        try:
            session = login.open_with(self, compress=login.compress)
        except RdsIamError as error:
            seen = self._of_failure(login, error, way)
            if isinstance(seen.answer, Answer) and seen.answer.code in _SCHEMA:
                return replace(seen, grants=self._grants_without_schema(login))
            return seen
        seen = replace(
            self._evidence,
            network=Network("open", way),
            tls=Tls("verified", login.trust_source, names=self._names),
        )
        if isinstance(session, _NoSession):
            return replace(seen, answer=NotLooked("credentials"), grants=NotLooked("server"))
        try:
            return replace(seen, answer=_accepted(session, self._seconds), grants=_grants(session, self._seconds))
        finally:
            session.close()

    def _grants_without_schema(self, login: Login) -> Grants | Unknown:
        """What the user may do, who is let in, but not with the schema that was asked for."""
        try:
            session = replace(login, database=None).open()
        except RdsIamError as error:
            return Failed(_line(error.message))
        try:
            return _grants(session, self._seconds)
        finally:
            session.close()

    def _of_failure(self, login: Login, error: RdsIamError, way: str) -> Evidence:
        failure, evidence = self._failure, self._evidence
        if (closed := self._of_tcp(error, way)) is not None:
            waits = NotLooked("network")
            return replace(evidence, network=closed, tls=waits, answer=waits, grants=waits)
        evidence = replace(evidence, network=Network("open", way), grants=NotLooked("server"))
        verified = Tls("verified", login.trust_source)
        if failure is not None and failure.reached != "greeting":  # the server's words, before TLS or within
            is_answer = _is_of_the_server(failure.code)
            words = _line(failure.message if is_answer else error.message)
            answer = _refused(failure, words) if is_answer else Failed(words)
            return replace(evidence, tls=verified if failure.reached == "tls" else NotLooked("server"), answer=answer)
        if not isinstance(error, TlsError) and failure is None:
            return replace(evidence, tls=Failed(_line(error.message)), answer=NotLooked("TLS"))
        return replace(evidence, tls=self._of_tls(error, login), answer=NotLooked("TLS"))

    def _of_tcp(self, error: RdsIamError, way: str) -> Network | None:
        """What became of TCP; None if it is open, and a MySQL server at its other end."""
        failure, message, problem = self._failure, _line(error.message), Problem.of(error)
        if isinstance(error, TunnelError):
            return Network("unreachable", way, message, problem)
        if failure is not None:
            if failure.reached == "tcp":
                is_late = isinstance(failure.cause, TimeoutError)
                return Network(
                    "mute" if is_late else "closed",
                    way,
                    self._maybe_paused(message, ATTEMPT * self._tools.patience),
                    problem,
                )
            if failure.reached == "words" and not _is_of_the_server(failure.code):
                return Network("mute", way, message, problem)
            return None
        if not isinstance(error, UnreachableError):
            return None
        if error.detail == "ECONNREFUSED":
            return Network("refused", way, message, problem)
        outcome: Any = _OF_TCP.get(error.cause, "unreachable")
        return Network(
            outcome, way, self._maybe_paused(message, self._tools.seconds) if outcome == "silent" else message, problem
        )

    def _maybe_paused(self, message: str, seconds: float) -> str:
        """A database that is paused answers later than it is waited for here."""
        target = self._evidence.target
        database = target.described if isinstance(target, Target) else None
        if database is None or not database.pauses:
            return message
        return (
            f"{message} That was given up after {limit_text(seconds)}; the database may be paused, and resuming takes "
            f"up to {RESUME_TIMEOUT:g} s."
        )

    def _of_tls(self, error: RdsIamError, login: Login) -> Tls:
        outcome: Any = _OF_TLS.get(error.cause, "failed")
        if self._no_trust is not None and outcome != "not-offered":
            return Tls("failed", "", _line(self._no_trust.message), problem=Problem.of(self._no_trust))
        names = self._names_there(login) if outcome in ("name", "expired") else ()
        return Tls(outcome, login.trust_source, _line(error.message), names, Problem.of(error))

    def _names_there(self, login: Login) -> tuple[str, ...]:
        """The names in a certificate of a trusted authority that is another host's, or has expired."""
        context = _for_names(login.context)
        with suppress(RdsIamError, HandshakeError):
            return verify_tls(
                self._address, host=self._endpoint.host, context=context, timeout=_SECOND_LOOK * self._tools.patience
            )
        return ()


def _has_keys(evidence: Evidence) -> bool:
    """Whether there are credentials, as far as anybody has looked."""
    return isinstance(evidence.keys, (Keys, NotLooked))


class _NoSession:
    """What is opened when nobody may log in."""

    token_asked = True

    def close(self) -> None:
        """There is nothing to close."""


def _for_names(context: ssl.SSLContext) -> ssl.SSLContext:
    """A context of the same authorities for reading a certificate's names: the guard lets no secret through it."""
    lenient = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    lenient.check_hostname = False
    lenient.verify_flags |= _NO_CHECK_TIME
    for certificate in context.get_ca_certs(binary_form=True):
        lenient.load_verify_locations(cadata=certificate)
    return lenient


def _is_of_the_server(code: int) -> bool:
    """Whether an error number is the server's; 2000 to 2999 are the client library's."""
    return 1000 <= code < 2000 or code >= 3000


def _refused(failure: HandshakeFailure, words: str) -> Answer:
    return Answer(
        accepted=False,
        code=failure.code,
        message=words,
        token_asked=failure.token_asked,
        is_mariadb=failure.server_is_mariadb,
        address=client_in(failure.message),
    )


def client_in(message: str) -> str:
    """The client's address, or its name, in the server's words; "" if they have none."""
    addresses = _CLIENT.findall(message)
    return str(addresses[-1]) if addresses and addresses[-1] != "%" else ""


def _accepted(session: ServerSession, seconds: float) -> Answer:
    address = ""
    with suppress(RdsIamError):
        address = str(fetch_one(session, "SELECT USER()", timeout=seconds)[0]).rpartition("@")[2]
    return Answer(accepted=True, is_mariadb="mariadb" in session.server_version.lower(), address=address)


def _grants(session: ServerSession, seconds: float) -> Grants | Unknown:
    try:
        rows = fetch_all(session, "SHOW GRANTS", timeout=seconds)
    except RdsIamError as error:
        return Failed(_line(error.message))
    return Grants(tuple(_without_login(str(row[0])) for row in rows))


def _without_login(grant: str) -> str:
    """A line of SHOW GRANTS without how the user logs in: on MariaDB that may be the hash of a password."""
    before, found, behind = grant.partition(" IDENTIFIED ")
    return f"{before}{' WITH GRANT OPTION' if found and behind.endswith(' WITH GRANT OPTION') else ''}"


def _line(text: str) -> str:
    """A message on one line; without a token, should a server repeat it."""
    text = " ".join(text.split())
    return _WORD.sub(lambda match: "…" if "X-Amz-" in match[0] else match[0], text)[:500]


SERVER = Check(
    name="server",
    fills=("network", "tls", "answer", "grants"),
    look=attempt,
    needs=("target",),
    after=("keys",),
    limit=LIMIT + TUNNEL + 3 * _QUERY,
)
