"""`masked`: a diagnosis without the names that tell whose it is, each replaced by the same mask wherever it stands.

What is masked is what the evidence names, also as it is quoted in statements and on command lines, and whatever looks
like an account, an address, a host name, an e-mail address, a path, an ARN, a resource id or an access key's id in any
of the texts. Rather too much than too little.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rds_iam_magic.connect_options import as_word
from rds_iam_magic.doctor.evidence import Described, Identity, Keys, NoSuch, Proxy, ServerAccounts, Target, known
from rds_iam_magic.sql.quoting import quote_name

if TYPE_CHECKING:
    from rds_iam_magic.doctor.evidence import Evidence
    from rds_iam_magic.doctor.findings import Diagnosis, Finding

Name = tuple[str, str]
"""A kind, such as `host`, which the mask begins with, and the name."""

_SHORT = 3
"""Up to so many characters, a name is masked as a word only: within others it tells nothing."""

_OPTIONS = {
    "profile": "profile",
    "stack": "stack",
    "secret": "secret",
    "external-id": "external-id",
    "ssh": "host",
    "via": "host",
    "ssm": "instance",
    "endpoint": "host",
    "ca": "path",
    "role-arn": "role",
}
_TELLS_NOTHING = {
    "host": ("localhost",),
    "address": ("%", "localhost"),
    "profile": ("default",),
    "policy": ("connect", "rds", "rds-connect", "rds-db"),  # they would be found in the name of the action
}

_HOST = re.compile(
    r"(?<![\w.-])(?P<label>[a-z0-9-]+)\.(?:(?:cluster|cluster-ro|cluster-custom|proxy|global)-)?(?P<zone>[a-z0-9]{6,})"
    r"\.(?:[a-z0-9-]+\.)?rds\.[a-z0-9.-]*amazonaws",
    re.IGNORECASE,
)
_ENDPOINT_OF_PROXY = re.compile(
    r"(?<![\w.-])(?P<name>[a-z0-9-]+)\.endpoint\.proxy-(?P<zone>[a-z0-9]{6,})\.", re.IGNORECASE
)
_ARN = re.compile(r"arn:aws[a-z-]*:(?P<service>[a-z0-9-]+):[a-z0-9-]*:[0-9]*:(?P<rest>[^\s\"'`,;]+)")
_PATTERNS = (
    ("account", re.compile(r"(?<![0-9A-Za-z])[0-9]{12}(?![0-9A-Za-z])")),
    ("address", re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w.]*\w)")),
    ("resource", re.compile(r"(?<![\w-])(?:cluster|db|prx)-[A-Z0-9]{8,}(?!\w)")),
    ("resource", re.compile(r"(?<![\w-])prx-[0-9a-f]{8,}(?!\w)")),
    ("instance", re.compile(r"(?<![\w-])(?:m?i|sg|vpce?|subnet|eni)-[0-9a-f]{8,}(?!\w)")),
    ("key", re.compile(r"(?<![A-Za-z0-9])A(?:[BKS]IA|ROA|IDA|[GINP]PA|NVA|PKA|CCA|SCA)[A-Z0-9]{12,}(?![A-Za-z0-9])")),
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]+@(?:[\w-]+\.)+[A-Za-z]{2,}(?![\w-])")),
    ("user", re.compile(r"(?<=\buser ')[^'\s]+(?=')")),
    ("user", re.compile(r"(?<=/home/)[^/\n'\"]{1,40}(?=/)|(?<=[/\\]Users[/\\])[^/\\\n'\"]{1,40}(?=[/\\])")),
    ("profile", re.compile(r"(?<=--profile )(?!NAME\b)[\w.@/+-]*\w|(?<=profile \()[^()]+(?=\))")),
    ("profile", re.compile(r"(?<=\bThe profile )\S+(?= gets )")),
    (
        "path",
        re.compile(
            r"(?<![\w:/.~%@*-])/(?:(?:home|Users)/[^/\n'\"]{1,40}/|(?!aws/|aws-reserved/)[^\s/'\":,;<>()]+/)"
            r"[^\s'\":,;<>()]*\w"
        ),
    ),
    ("path", re.compile(r"(?<![\w/])[A-Za-z]:\\(?:Users\\[^\\\n'\"]{1,40}\\)?[^\s'\":,;<>]*\w")),
)
_ANY_HOST = re.compile(
    r"(?<![\w.@-])(?:(?:[a-z0-9-]+\.){2,}[a-z]{2,}(?![\w-]|\.\w)|(?:[a-z0-9-]+\.)+[a-z]{2,}(?=:[0-9])"
    r"|(?<=://)[a-z0-9.-]+)",
    re.IGNORECASE,
)
_PUBLIC = re.compile(
    r"(?:.*\.)?(?:amazonaws\.(?:com|com\.cn|eu)|aws\.amazon\.com|amazontrust\.com|mysql\.com|mariadb\.com|python\.org"
    r"|c2s\.ic\.gov|sc2s\.sgov\.gov)|",
    re.IGNORECASE,
)
"""Hosts of AWS and of documentation; those of databases are masked by their parts."""

_ADDRESS_6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?![\w:])")


def names_in(evidence: Evidence) -> tuple[Name, ...]:
    """What the evidence names of users, hosts, accounts and the like, for `Diagnosis.names`."""
    found = [*_asked(evidence), *_aws(evidence), *_database(evidence), *_accounts(evidence)]
    return tuple(dict.fromkeys((kind, name) for kind, name in found if name))


def _asked(evidence: Evidence) -> Iterator[Name]:
    asked = evidence.asked
    yield "user", asked.user
    yield "host", asked.target
    yield "schema", asked.database or ""
    yield from asked.names
    yield from _of_way(asked.way)
    yield from _in_line(asked.line)


def _of_way(way: str) -> Iterator[Name]:
    """The host that is dialled, and who logs in there, of such as `ssh me@bastion` and `[::1]:3307`."""
    user, _, address = way.removeprefix("ssh ").removeprefix("ssm ").removeprefix("ssh://").rpartition("@")
    host, _, port = address.rpartition(":")
    yield "host", (host if host and port.isdecimal() else address).strip("[]")
    yield "user", user


def _in_line(line: str) -> Iterator[Name]:
    """The names among the options of a line."""
    try:
        words = shlex.split(line)
    except ValueError:
        return
    for option, value in pairwise(words):
        if option[:2] == "--" and option[2:] in _OPTIONS:
            yield from _of_way(value) if option in ("--ssh", "--via") else ()
            yield _OPTIONS[option[2:]], value


def _aws(evidence: Evidence) -> Iterator[Name]:
    keys, identity, permission = known(evidence.keys), known(evidence.identity), known(evidence.permission)
    if isinstance(keys, Keys):
        yield "profile", keys.profile
    if isinstance(identity, Identity):
        yield "account", identity.account
        yield from _in_arn(identity.arn)
        yield from _in_arn(known(identity.principal) or "")
    if permission is not None:
        yield from _in_arn(permission.principal)
        yield from _in_arn(permission.arn)
        for policy in (permission.by, *(mistake.policy for mistake in permission.mistakes)):
            yield "policy", "" if policy.startswith("arn:") else policy.partition(", statement")[0]


def _database(evidence: Evidence) -> Iterator[Name]:
    target, database, proxy = known(evidence.target), known(evidence.database), known(evidence.proxy)
    writer, network, tls = known(evidence.writer), known(evidence.network), known(evidence.tls)
    if isinstance(target, Target):
        yield "host", target.endpoint.host
    if isinstance(database, Described):
        yield from (("host", database.name), ("account", database.account), ("resource", database.resource_id or ""))
    if isinstance(database, NoSuch):
        yield "account", database.account
    if isinstance(proxy, Proxy):
        yield "host", proxy.name
    if writer is not None:
        yield from (("host", writer.name), ("host", writer.host))
    if network is not None:
        yield from _of_way(network.address)
    yield from (("host", name.removeprefix("*.")) for name in (tls.names if tls is not None else ()))
    if tls is not None and re.search(r"[/\\]", tls.source) and "://" not in tls.source:
        yield "path", tls.source


def _accounts(evidence: Evidence) -> Iterator[Name]:
    answer, accounts = known(evidence.answer), known(evidence.accounts)
    if answer is not None:
        yield "address", answer.address
    for account in (*accounts.named, *accounts.near) if isinstance(accounts, ServerAccounts) else ():
        yield "user", account.user
        yield "address", account.host


def masked(diagnosis: Diagnosis) -> Diagnosis:
    """The diagnosis with masks in all of its texts."""
    names = [
        *diagnosis.names,
        *_in_line(diagnosis.line),
        *(name for text in _texts(diagnosis) for name in _found(text)),
    ]
    return _replaced(diagnosis, Masks(names))


def _texts(diagnosis: Diagnosis) -> Iterator[str]:
    verdict = diagnosis.verdict
    yield from (verdict.sentence, verdict.why, *verdict.decides, *verdict.others, diagnosis.line)
    for finding in diagnosis.findings:
        yield from (finding.sentence, finding.evidence, finding.mend, *_values(finding))


def _values(finding: Finding) -> list[str]:
    return [] if finding.fix is None else [getattr(finding.fix, item.name) for item in fields(finding.fix)]


class Masks:
    """Masks for names: `KIND-N`, N counting the names of that kind.

    Args:
        names: The names with their kinds; of a name that has two, the first counts. A host name of RDS is masked by its
            parts, so that what it is, and its region, stay.
    """

    def __init__(self, names: Iterable[Name]) -> None:
        self._masks: dict[str, str] = {}
        numbers: Counter[str] = Counter()
        for kind, name in (part for each in names for part in _parts(*each)):
            if name and name.lower() not in _TELLS_NOTHING.get(kind, ()) and name not in self._masks:
                numbers[kind] += 1
                self._masks[name] = f"{kind}-{numbers[kind]}"
        for name, mask in list(self._masks.items()):
            for written in _quoted(name):
                if name not in written:
                    self._masks.setdefault(written, mask)
        self._any_case = {name.lower(): mask for name, mask in reversed(self._masks.items())}
        longest = sorted(self._masks, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_anywhere, longest)), re.IGNORECASE) if longest else None

    def __call__(self, text: str) -> str:
        """A text with the masks in the places of the names."""
        return text if self._pattern is None else self._pattern.sub(lambda match: self._mask(match[0]), text)

    def _mask(self, name: str) -> str:
        return self._masks.get(name) or self._any_case.get(name.lower()) or "masked"


def _quoted(name: str) -> tuple[str, ...]:
    """A name as it stands in a statement, on a line to copy, and in Python."""
    return quote_name(name), as_word(name), shlex.quote(name), as_word(name).strip("'"), repr(name), repr(name)[1:-1]


def _anywhere(name: str) -> str:
    """A pattern for a name: in the midst of words, too, unless it is short."""
    return rf"(?<!\w){re.escape(name)}(?!\w)" if len(name) <= _SHORT else re.escape(name)


def _parts(kind: str, name: str) -> Iterator[Name]:
    """The names within a name, and the name itself, unless it is a host name of RDS or an ARN."""
    yield from (each for each in _found(name) if each != ("email", name))
    arn = _ARN.fullmatch(name)
    if not (kind == "host" and _HOST.search(name)) and (arn is None or not any(_in_arn(name))):
        yield kind, name


def _found(text: str) -> Iterator[Name]:
    """What looks like a name that is to be masked."""
    for pattern in (_ENDPOINT_OF_PROXY, _HOST):
        for match in pattern.finditer(text):
            label = match.groupdict().get("name") or match["label"]
            if label.lower() != "endpoint":
                yield "host", label
            yield "zone", match["zone"]
    for match in _ARN.finditer(text):
        yield from _in_arn(match[0])
    for kind, pattern in _PATTERNS:
        yield from ((kind, match[0]) for match in pattern.finditer(text))
    yield from (("host", match[0]) for match in _ANY_HOST.finditer(text) if not _PUBLIC.fullmatch(match[0]))
    for match in _ADDRESS_6.finditer(text):
        try:
            ipaddress.IPv6Address(match[0].rstrip("."))
        except ValueError:
            continue
        yield "address", match[0].rstrip(".")


def _in_arn(arn: str) -> Iterator[Name]:
    """The names in an ARN."""
    match = _ARN.fullmatch(arn)
    if match is None:
        return
    rest = match["rest"].rstrip(".)")
    kind, _, name = rest.partition("/") if "/" in rest.partition(":")[0] else rest.partition(":")
    if match["service"] in ("iam", "sts"):
        yield from _principal(kind, name)
    elif match["service"] == "rds-db":  # dbuser:RESOURCE_ID/USER
        resource, _, user = name.partition("/")
        yield from (("resource", resource), ("user", user))
    elif match["service"] == "rds":
        yield ("resource" if name.startswith("prx-") else "host"), name
    elif match["service"] == "secretsmanager":
        yield "secret", name
        yield "secret", re.sub(r"-\w{6}$", "", name)
    elif match["service"] == "cloudformation":
        yield "stack", name.partition("/")[0]
    elif match["service"] == "kms":
        yield "key", name


def _principal(kind: str, name: str) -> Iterator[Name]:
    """`role/PATH/NAME`, `assumed-role/NAME/SESSION` and the like."""
    words = [word for word in name.split("/") if word and word != "*"]
    if not words:
        return
    if kind in ("assumed-role", "federated-user"):
        yield from (
            ("role" if kind == "assumed-role" else "user", words[0]),
            *(("session", word) for word in words[1:]),
        )
        return
    yield (kind if kind in ("role", "user", "group", "policy") else "role"), words[-1]
    yield from (("path", word) for word in words[:-1] if word not in ("aws-reserved", "sso.amazonaws.com"))


def _replaced(diagnosis: Diagnosis, mask: Masks) -> Diagnosis:
    verdict = diagnosis.verdict
    return replace(
        diagnosis,
        verdict=replace(
            verdict,
            sentence=mask(verdict.sentence),
            why=mask(verdict.why),
            decides=tuple(map(mask, verdict.decides)),
            others=tuple(map(mask, verdict.others)),
        ),
        findings=tuple(_replaced_finding(finding, mask) for finding in diagnosis.findings),
        line=mask(diagnosis.line),
        names=(),
    )


def _replaced_finding(finding: Finding, mask: Masks) -> Finding:
    fix: Any = finding.fix
    return replace(
        finding,
        sentence=mask(finding.sentence),
        evidence=mask(finding.evidence),
        mend=mask(finding.mend),
        fix=None if fix is None else replace(fix, **{item.name: mask(getattr(fix, item.name)) for item in fields(fix)}),
    )
