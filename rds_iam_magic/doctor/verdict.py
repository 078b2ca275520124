"""`diagnosis_of`: evidence → verdict and findings. Pure: it looks at nothing itself."""

from __future__ import annotations

from collections.abc import Iterable

from rds_iam_magic.doctor.causes.cause import Level, Suspicion
from rds_iam_magic.doctor.causes.table import CAUSES
from rds_iam_magic.doctor.evidence import Evidence, Problem, known
from rds_iam_magic.doctor.findings import CHECKS, Diagnosis, Finding, State, Verdict
from rds_iam_magic.doctor.masking import names_in
from rds_iam_magic.doctor.seen import seen

Suspicions = dict[str, Suspicion]


def diagnosis_of(evidence: Evidence) -> Diagnosis:
    """The verdict on top, and a finding for each check that applies."""
    suspicions = {name: cause.judge(evidence) for name, cause in CAUSES.items()}
    checks = [check for check in CHECKS if check != "proxy" or evidence.proxy is not None]
    findings = [_finding(number, check, evidence, suspicions) for number, check in enumerate(checks, start=1)]
    return Diagnosis(verdict_of(evidence, suspicions), tuple(findings), evidence.asked.line, names_in(evidence))


def verdict_of(evidence: Evidence, suspicions: Suspicions) -> Verdict:
    """What keeps the user from logging in.

    Args:
        evidence: What is known.
        suspicions: What the evidence says of each of `CAUSES`, in their order.
    """
    answer = known(evidence.answer)
    if answer is not None and answer.accepted:
        return Verdict("healthy", (), f"{evidence.asked.user} can log in with IAM.", "The server has just let it in.")
    sure = next((name for name in suspicions if suspicions[name].level is Level.CERTAIN), None)
    if sure is not None:
        return Verdict("certain", (sure,), suspicions[sure].sentence, suspicions[sure].why)
    suspected = [name for name in suspicions if suspicions[name].level is Level.LIKELY]
    candidates = _in_order([name for name in suspicions if suspicions[name].level is Level.POSSIBLE], evidence)
    if suspected:
        first, names = suspicions[suspected[0]], (*suspected, *candidates)
        others = _listed(names[1:])
        return Verdict("likely", names, first.sentence, first.why, _decides(candidates), others)
    if len(candidates) == 1:
        title = CAUSES[candidates[0]].title
        return Verdict("likely", (candidates[0],), _capital(f"{title}."), f"{_why(evidence)} All else is ruled out.")
    if candidates:
        groups = list(dict.fromkeys(GROUPS[CAUSES[name].check] for name in candidates))
        sentence = f"It is one of {len(candidates)} causes, in {_joined(groups)}."
        return Verdict("one of", tuple(candidates), sentence, _why(evidence), _decides(candidates), _listed(candidates))
    return Verdict("unknown", (), "What keeps the user from logging in was not found out.", _missing(evidence))


GROUPS = {
    "credentials": "the AWS credentials",
    "identity": "the AWS credentials",
    "clock": "the clock",
    "region": "what the token is signed for",
    "target": "what the token is signed for",
    "database": "the database's settings",
    "network": "the network",
    "TLS": "the CA certificates",
    "server": "the server",
    "proxy": "the RDS Proxy",
    "IAM policy": "what IAM allows",
    "database user": "the database user",
    "privileges": "the privileges",
    "log": "RDS's limits",
}
"""Where the causes of a check are."""


def _in_order(names: list[str], evidence: Evidence) -> list[str]:
    """On MariaDB, which asks for users that it does not know, the database user comes first: it is mistyped easily."""
    answer = known(evidence.answer)
    if answer is None or not answer.is_mariadb:
        return names
    return sorted(names, key=lambda name: CAUSES[name].check != "database user")


def _listed(names: Iterable[str]) -> tuple[str, ...]:
    """A line for each group: its causes."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(GROUPS[CAUSES[name].check], []).append(CAUSES[name].title)
    return tuple(f"{group}: {'; '.join(titles)}" for group, titles in groups.items())


def _joined(words: list[str]) -> str:
    return ", ".join(words[:-1]) + f" or {words[-1]}" if len(words) > 1 else words[0]


def _decides(candidates: Iterable[str]) -> tuple[str, ...]:
    """What would tell several causes apart."""
    return tuple(dict.fromkeys(each for name in candidates for each in CAUSES[name].decides))


def _why(evidence: Evidence) -> str:
    answer, network = known(evidence.answer), known(evidence.network)
    if answer is None:
        return network.message if network is not None else _problem(evidence)
    words = f"The server says {answer.code}: {answer.message}"
    if answer.code != 1045:
        return words
    if not answer.token_asked:
        return f"{words}; it did not ask for a token."
    if answer.is_mariadb:
        return f"{words}; it asked for a token, as MariaDB may also do for a user that it does not know."
    return f"{words}; it asked for a token, so the database user is right."


def _problem(evidence: Evidence) -> str:
    problem = evidence.identity if isinstance(evidence.identity, Problem) else evidence.keys
    return problem.message if isinstance(problem, Problem) else ""


def _missing(evidence: Evidence) -> str:
    """Why nothing could be found out."""
    facts = (evidence.target, evidence.network, evidence.answer)
    whats = [str(getattr(fact, "what", "") or getattr(fact, "permission", "")) for fact in facts]
    return next(filter(None, whats), "The server was not asked.")


def _finding(number: int, check: str, evidence: Evidence, suspicions: Suspicions) -> Finding:
    told = [
        suspicions[name]
        for name, cause in CAUSES.items()
        if cause.check == check and suspicions[name].level >= Level.LIKELY
    ]
    if told:
        first = told[0]
        sentence = " ".join(suspicion.sentence for suspicion in told)
        fix = next((suspicion.fix for suspicion in told if suspicion.fix is not None), None)
        mend = "\n".join(suspicion.mend for suspicion in told if suspicion.mend)
        return Finding(number, check, "problem", sentence, first.why, mend, fix)  # it may begin with a user's name
    state: State
    state, sentence, why = seen(check, evidence)
    return Finding(number, check, state, sentence, why)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
