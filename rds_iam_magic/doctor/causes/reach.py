"""The causes on the way to the database: its status, the network, TLS, and what the server says before the login."""

from __future__ import annotations

import re

from rds_iam_magic.aws.availability import status_problem
from rds_iam_magic.aws.endpoint import Kind
from rds_iam_magic.doctor.causes.cause import (
    POSSIBLE,
    RULED_OUT,
    UNSEEN,
    Cause,
    Suspicion,
    certain,
    endpoint_of,
    is_proxy,
    likely,
    listed,
    to_run,
)
from rds_iam_magic.doctor.evidence import Described, Evidence, Network, NoSuch, known
from rds_iam_magic.hints import Note
from rds_iam_magic.setup.accounts import Account
from rds_iam_magic.sql.quoting import quote_name

_PAUSED = (
    "A paused database resumes when somebody connects; that takes up to a minute.",
    Note("Connect again; {option:connect-timeout} waits longer, 60 for instance."),
)


def _status(evidence: Evidence) -> Suspicion:
    network, database = known(evidence.network), known(evidence.database)
    if known(evidence.answer) is not None:
        return RULED_OUT
    if isinstance(database, Described):
        problem = status_problem(database.name, database.status)
        if problem is not None:
            return certain(problem.message, f"RDS gives the status {database.status}.", problem.hint_note)
        if not database.pauses:
            return RULED_OUT
    if network is None:
        return UNSEEN
    if network.outcome in ("open", "name"):
        return RULED_OUT
    if isinstance(database, Described):
        return likely(f"{database.name} may be paused: its minimum capacity is 0 ACU.", *_PAUSED)
    return POSSIBLE


def _network(evidence: Evidence) -> Suspicion:
    network, database, endpoint = known(evidence.network), known(evidence.database), endpoint_of(evidence)
    if known(evidence.answer) is not None:
        return RULED_OUT
    if network is None:
        return UNSEEN
    if network.outcome == "open":
        return RULED_OUT
    if isinstance(database, Described) and status_problem(database.name, database.status) is not None:
        return RULED_OUT
    why = _NO_TUNNEL if _is_of_tunnel(network) else _WHY[network.outcome]
    if isinstance(database, NoSuch) and endpoint is not None and endpoint.kind not in _NOT_DESCRIBED:
        of = f"account {database.account}" if database.account else "the account"
        why = f"{why} No database of {of} has this endpoint in {database.region}: it may be deleted or renamed."
    is_up = isinstance(database, Described) and not database.pauses
    if is_up or network.outcome in _NOT_OF_DATABASE:
        return certain(network.message, why, _mend(evidence))
    return POSSIBLE


_NOT_DESCRIBED = (Kind.GLOBAL, Kind.SHARD_GROUP)
_NOT_OF_DATABASE = ("name", "mute", "closed")
"""What a database does not do because it is stopped: its name stays, and nothing accepts connections in its place."""

_WHY = {
    "name": "DNS does not know the name here: it may take a VPN's DNS, or the name is misspelt.",
    "name-slow": "The DNS server does not answer.",
    "refused": "The address answers, and nothing listens on that port.",
    "silent": "Nothing answers at the address: a security group, a firewall or a missing VPN drops what is sent; or "
    "the database is not public.",
    "unreachable": "There is no route to the address.",
    "closed": "The connection is closed before a MySQL server says anything: something in between, such as a tunnel, "
    "does not reach the database.",
    "mute": "Something accepts the connection and does not speak as a MySQL server does.",
}


_NO_TUNNEL = "The tunnel could not be opened, or leads nowhere: nothing of the database was seen."


def _is_of_tunnel(network: Network) -> bool:
    """Whether it is the tunnel that failed, not what is behind it."""
    problem = network.problem
    return problem is not None and problem.cause.startswith(("tunnel", "ssh", "ssm", "aws-cli", "session-manager"))


def _mend(evidence: Evidence) -> str:
    network = known(evidence.network)
    if network is not None and network.problem is not None and _is_of_tunnel(network):
        return network.problem.hint
    if evidence.asked.way:
        return f"Check that {evidence.asked.way} leads to the database."
    endpoint = endpoint_of(evidence)
    port = endpoint.port if endpoint is not None else 3306
    return Note(
        "Connect to the VPN, or let this machine's address into the database's security group (TCP {port}); or go "
        "through a tunnel: {option:ssm} or {option:ssh}.",
        port=port,
    )


def _tls(evidence: Evidence, *outcomes: str) -> Suspicion:
    tls = known(evidence.tls)
    if tls is None or tls.outcome not in outcomes:
        return UNSEEN if tls is None and known(evidence.answer) is None else RULED_OUT
    of = f"It was to be verified with the CA certificates of {tls.source}. " if tls.source else ""
    return certain(tls.message, f"{of}Nothing was sent.", tls.problem.hint if tls.problem is not None else "")


def _untrusted(evidence: Evidence) -> Suspicion:
    suspicion, at_proxy = _tls(evidence, "untrusted"), is_proxy(evidence)
    if evidence.asked.ca and at_proxy is not False:
        return RULED_OUT if at_proxy else _in_doubt(suspicion)
    return _mended(
        suspicion,
        Note(
            "Omit {option:ca} and RDS_IAM_MAGIC_CA, so that RDS's bundle is fetched; or take that of the region's "
            "partition. Where a company's proxy inspects TLS, its certificate has to be in the file."
        ),
    )


def _proxy_roots(evidence: Evidence) -> Suspicion:
    suspicion, at_proxy = _tls(evidence, "untrusted"), is_proxy(evidence)
    if not evidence.asked.ca or at_proxy is not True:
        return RULED_OUT if not evidence.asked.ca or at_proxy is False else _in_doubt(suspicion)
    return _mended(
        suspicion,
        Note(
            "RDS Proxy has certificates of Amazon Trust Services, which are not in RDS's bundle: omit {option:ca}, or "
            "add the roots of https://www.amazontrust.com/repository/ to that file."
        ),
    )


def _in_doubt(suspicion: Suspicion) -> Suspicion:
    """What it is, the endpoint tells, which is not known."""
    return POSSIBLE if suspicion.sentence else suspicion


def _name(evidence: Evidence) -> Suspicion:
    tls = known(evidence.tls)
    names = f"Its certificate is for {listed(tls.names)}. " if tls is not None and tls.names else ""
    return _mended(
        _tls(evidence, "name"),
        f"What answers is another server. {names}Check the target's name, and where the tunnel leads.",
    )


def _expired(evidence: Evidence) -> Suspicion:
    return _mended(
        _tls(evidence, "expired"),
        "Check this machine's date. If it is right, the database's certificate has to be renewed (RDS console, Modify: "
        "Certificate authority).",
    )


def _no_tls(evidence: Evidence) -> Suspicion:
    if _is_bundle(evidence):
        return _tls(evidence, "failed")  # its hint is the bundle's
    return _mended(
        _tls(evidence, "not-offered", "failed"),
        "What answers may not be the database: check where the tunnel leads.",
    )


def _mended(suspicion: Suspicion, mend: str) -> Suspicion:
    return suspicion if not suspicion.sentence else certain(suspicion.sentence, suspicion.why, mend)


def _is_bundle(evidence: Evidence) -> bool:
    """Whether there was no CA bundle to verify with."""
    tls = known(evidence.tls)
    return tls is not None and tls.problem is not None and tls.problem.cause.startswith("ca-bundle")


def _limits(evidence: Evidence) -> Suspicion:
    answer = known(evidence.answer)
    if answer is None:
        return UNSEEN
    if answer.code not in _LIMITS or _is_rate(answer.message):
        return RULED_OUT
    sentence, mend = _LIMITS[answer.code]
    return certain(sentence.format(user=evidence.asked.user), f"{answer.code}: {answer.message}", mend)


def _is_rate(message: str) -> bool:
    return "rate limit" in message.lower()


# https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
_LIMITS = {
    1040: (
        "The server has no free connection.",
        "Close idle connections (SHOW PROCESSLIST), raise max_connections, or use an RDS Proxy.",
    ),
    1129: (
        "The server blocks this machine after failed attempts.",
        "The master user lets it in again: FLUSH HOSTS on MariaDB; on MySQL, TRUNCATE TABLE "
        "performance_schema.host_cache.",
    ),
    1203: (
        "{user} has as many connections as one user may have.",
        "Close connections of this user, or raise max_user_connections.",
    ),
    1226: (
        "{user} has reached a limit of the account.",
        "Wait, or have the master user raise it: ALTER USER … WITH MAX_USER_CONNECTIONS n.",
    ),
}


def _throttled_proxy(evidence: Evidence) -> Suspicion:
    answer = known(evidence.answer)
    if answer is None:
        return UNSEEN
    if answer.code != 1040 or not _is_rate(answer.message):
        return RULED_OUT
    return certain(
        "The RDS Proxy accepts no more logins with IAM for now.",
        f"{answer.code}: {answer.message}",
        "Wait a minute, and keep connections open instead of opening many.",
    )


def _behind_proxy(evidence: Evidence) -> Suspicion:
    answer, proxy = known(evidence.answer), known(evidence.proxy)
    health = known(proxy.health) if proxy is not None else None
    down = [
        f"{state} ({reason}{': ' + words if words else ''})" for state, reason, words in health or () if _ill(state)
    ]
    if answer is None:
        return UNSEEN
    if answer.code != 9501:
        return RULED_OUT
    return certain(
        "The RDS Proxy cannot reach its database.",
        f"{answer.code}: {answer.message}" + (f" RDS says of its targets: {', '.join(down)}." if down else ""),
        "Check that the database is available, that its security group lets the proxy's in, and that it has free "
        "connections.",
    )


def _ill(state: str) -> bool:
    return state.upper() not in ("AVAILABLE", "")


def _database(evidence: Evidence) -> Suspicion:
    answer, asked = known(evidence.answer), evidence.asked
    if answer is None:
        return UNSEEN
    if answer.code not in (1044, 1049):
        return RULED_OUT
    if answer.code == 1049:
        return certain(
            f"{asked.user} can log in, and there is no database {asked.database}.",
            f"{answer.code}: {answer.message}",
            Note("Omit {option:database}; once connected, {command:databases} lists those that there are."),
        )
    return certain(
        f"{asked.user} can log in, and has no privileges on the database {asked.database}.",
        f"{answer.code}: {answer.message}",
        to_run(
            "The master user grants them",
            f"GRANT SELECT ON {_schema(str(asked.database))}.* TO {Account(asked.user, '%').sql}",
        ),
    )


def _schema(name: str) -> str:
    """A schema as in a grant, where `_` and `%` stand for others, too."""
    return quote_name(re.sub(r"([\\_%])", r"\\\1", name))


_KNOWN = frozenset({0, 1040, 1044, 1045, 1049, 1129, 1203, 1226, 1524, 3118, 4151, 9501})


def _other(evidence: Evidence) -> Suspicion:
    answer = known(evidence.answer)
    if answer is None:
        return UNSEEN
    if answer.accepted or answer.code in _KNOWN:
        return RULED_OUT
    return certain(f"The server refuses {evidence.asked.user}: {answer.message}", f"Its error number is {answer.code}.")


_DESCRIBE = ("rds:DescribeDBClusters", "rds:DescribeDBInstances")

BEFORE_LOGIN = {
    "status": Cause(
        (36,),
        "database",
        "a database that is stopped, starting or paused",
        _status,
        decides=_DESCRIBE,
        mend="Start it (aws rds start-db-cluster); a paused one resumes: {option:connect-timeout}.",
    ),
    "network": Cause(
        (31,),
        "network",
        "the network: DNS, a security group, a VPN",
        _network,
        mend="Connect to the VPN, open the security group, or go through a tunnel.",
    ),
    "certificate": Cause((22,), "TLS", "a CA bundle that lacks the server's CA", _untrusted, mend="Omit {option:ca}."),
    "proxy-certificate": Cause(
        (23,), "TLS", "a CA bundle without the roots of RDS Proxy", _proxy_roots, mend="Omit {option:ca}."
    ),
    "certificate-name": Cause((24,), "TLS", "a certificate of another host", _name, mend="Check the tunnel."),
    "certificate-expired": Cause(
        (25,),
        "TLS",
        "a certificate that has expired",
        _expired,
        mend="Renew it (RDS console, Modify).",
    ),
    "tls": Cause((42,), "TLS", "a server without TLS", _no_tls, mend="Check where the tunnel leads."),
    "proxy-throttle": Cause(
        (29,), "server", "an RDS Proxy that throttles logins with IAM", _throttled_proxy, mend="Keep connections open."
    ),
    "proxy-database": Cause(
        (34,), "proxy", "an RDS Proxy that cannot reach its database", _behind_proxy, mend="Check the proxy's targets."
    ),
    "limits": Cause((38,), "server", "a limit of the server or of the account", _limits, mend="Close connections."),
}

AFTER_LOGIN = {
    "schema": Cause(
        (33,),
        "privileges",
        "a database that does not exist, or no grant on it",
        _database,
        mend="Omit {option:database}, or grant privileges.",
    ),
    "refused": Cause((43,), "server", "another refusal of the server", _other),
}
