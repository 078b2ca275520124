"""Running checks: side by side, one after the other, skipped, late, failing; and Ctrl-C."""

import sys
import threading
import time
from dataclasses import replace
from types import ModuleType

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.doctor import diagnose
from rds_iam_magic.doctor.checks import all as list_of_checks
from rds_iam_magic.doctor.checks.check import Check, Tools
from rds_iam_magic.doctor.diagnose import diagnose_with, gather
from rds_iam_magic.doctor.evidence import (
    NOT_LOOKED,
    Asked,
    Evidence,
    Failed,
    Grants,
    Keys,
    Network,
    NotLooked,
    NotPermitted,
    Problem,
)
from rds_iam_magic.errors import AwsError, CredentialsError, TargetError
from tests.support.events import LONG, interrupt_when

ASKED = Asked(user="analyst", target="sandbox")
TOOLS = Tools(ConnectOptions(), TargetOptions())


def fills(field, value):
    return lambda _, evidence: replace(evidence, **{field: value})


def fails(error):
    def look(_, __):
        raise error

    return look


def run(*checks, notify=lambda _: None, **how):
    return gather(ASKED, TOOLS, checks, notify=notify, **how)


class Silent:
    """A check that nothing answers, until the test lets go of it."""

    def __init__(self):
        self.begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self, _, evidence):
        self.begun.set()
        assert self.may_end.wait(LONG)
        return replace(evidence, clock=99.0)


@pytest.fixture
def silent():
    check = Silent()
    yield check
    check.may_end.set()


def test_no_checks():
    assert run() == Evidence(ASKED)


def test_what_does_not_depend_on_each_other_runs_at_once():
    together = threading.Barrier(2)

    def meet(field, value):
        def look(_, evidence):
            together.wait(LONG)  # breaks unless the other one runs
            return replace(evidence, **{field: value})

        return look

    evidence = run(Check("clock", ("clock",), meet("clock", 1.0)), Check("region", ("known_in",), meet("known_in", "")))
    assert (evidence.clock, evidence.known_in) == (1.0, "")


def test_what_waits_has_the_evidence_of_those_before_it_in_whatever_order_they_are_listed():
    def double(_, evidence):
        return replace(evidence, known_in=f"{evidence.clock:g}")

    checks = [
        Check("region", ("known_in",), double, after=("clock",)),
        Check("privileges", ("grants",), fills("grants", Grants(("GRANT",))), needs=("known_in",)),
        Check("clock", ("clock",), fills("clock", 2.0)),
    ]
    evidence = run(*checks)
    assert (evidence.known_in, evidence.grants) == ("2", Grants(("GRANT",)))


def test_a_check_fills_its_own_fields_only():
    def greedy(_, evidence):
        return replace(evidence, clock=1.0, known_in="aws-cn", asked=Asked(user="other"))

    evidence = run(Check("clock", ("clock",), greedy))
    assert evidence == replace(Evidence(ASKED), clock=1.0)


def test_what_has_no_value_is_waited_for_in_vain():
    """A problem is none; nor is what failed; a chain names the check right before."""
    problem = Problem("sso-session-ended", "It has ended.")
    evidence = run(
        Check("credentials", ("keys",), fills("keys", problem)),
        Check("clock", ("clock",), fails(ValueError("x"))),
        Check("network", ("network", "tls"), fills("network", "never"), needs=("clock",)),
        Check("server", ("answer",), fills("answer", "never"), needs=("keys", "clock")),
        Check("privileges", ("grants",), fills("grants", "never"), needs=("answer",)),
        Check("proxy", ("proxy",), fills("proxy", None), after=("keys", "answer")),
        Check("log", ("log",), fills("log", ()), needs=("proxy",)),
    )
    assert evidence.keys == problem
    assert evidence.network == evidence.tls == NotLooked("clock")
    assert evidence.answer == NotLooked("credentials")
    assert evidence.grants == NotLooked("server")
    assert evidence.proxy is None
    assert evidence.log == (), "that it is none of a proxy's is known"


def test_needs_that_no_check_fills():
    evidence = run(Check("log", ("log",), fills("log", ()), needs=("keys",), after=("answer",)))
    assert evidence.log == NotLooked()


def test_checks_that_wait_for_each_other_are_none():
    evidence = run(
        Check("clock", ("clock",), fills("clock", 1.0), needs=("known_in",)),
        Check("region", ("known_in",), fills("known_in", ""), needs=("clock",)),
    )
    assert (evidence.clock, evidence.known_in) == (NotLooked("region"), NotLooked("clock"))


DENIAL = "AWS does not permit looking up x with these credentials (AccessDenied: rds:DescribeDBClusters)."


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            AwsError("no", cause="permission-missing", facts={"permission": "iam:GetRole"}),
            NotPermitted("iam:GetRole"),
        ),
        (AwsError(DENIAL, cause="aws-lookup-denied"), NotPermitted("rds:DescribeDBClusters")),
        (AwsError("AWS refused (AccessDenied).", cause="aws-denied"), NotPermitted(diagnose._UNNAMED)),
        (
            ClientError(
                {"Error": {"Code": "AccessDenied", "Message": "is not authorized to perform: logs:FilterLogEvents"}},
                "X",
            ),
            NotPermitted("logs:FilterLogEvents"),
        ),
        (TargetError("It is\nstopped.", cause="database-stopped"), Failed("It is stopped.")),
        (CredentialsError("None."), Failed("None.")),
        (ZeroDivisionError("s3cret"), Failed("The check failed: ZeroDivisionError.")),
        (SystemExit(3), Failed("The check failed: SystemExit.")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_check_raises(error, expected):
    """It ends nothing else, and is no traceback."""
    evidence = run(
        Check("log", ("log", "metrics"), fails(error)), Check("clock", ("clock",), fills("clock", 0.0), after=("log",))
    )
    assert evidence.log == evidence.metrics == expected
    assert evidence.clock == 0.0


def test_what_gives_no_evidence_at_all():
    evidence = run(Check("clock", ("clock",), lambda *_: None))
    assert isinstance(evidence.clock, Failed)


def test_a_late_check_has_failed_and_what_it_says_then_is_lost(silent):
    keys = Keys("env", temporary=False)
    evidence = run(
        Check("clock", ("clock",), silent, limit=0.1),
        Check("credentials", ("keys",), fills("keys", keys), after=("clock",)),
    )
    assert evidence.clock == Failed("No answer came within 0.1 s.")
    silent.may_end.set()
    assert evidence.keys == keys
    assert evidence.clock == Failed("No answer came within 0.1 s.")


def test_all_checks_together_have_a_limit(silent):
    """Those that have not begun wait for those that have not ended."""
    began = time.monotonic()
    evidence = run(
        Check("clock", ("clock",), silent, limit=LONG),
        Check("log", ("log",), fills("log", ()), after=("clock",)),
        Check("region", ("known_in",), fills("known_in", ""), needs=("clock",)),
        whole=0.1,
    )
    assert time.monotonic() - began < LONG
    assert evidence.clock == Failed("No answer came within 0.1 s.")
    assert evidence.log == NotLooked("clock")
    assert evidence.known_in == NotLooked("clock")


def test_what_is_waited_for_is_told_once(silent, monkeypatch):
    monkeypatch.setattr(diagnose, "QUIET", 0.0)
    lines = []

    def told(line):
        lines.append(line)
        silent.may_end.set()

    run(
        Check("network", ("clock",), silent, limit=LONG),
        Check("IAM policy", ("known_in",), lambda tools, evidence: silent(tools, evidence), limit=LONG),
        notify=told,
    )
    assert lines[0] == "waiting for: network, IAM policy"
    assert len(lines) == len(set(lines))


def test_nothing_is_told_of_what_is_quick():
    lines = []
    run(Check("clock", ("clock",), fills("clock", 0.0)), notify=lines.append)
    assert lines == []


FIELDS = ("keys", "identity", "clock", "known_in", "target", "database")


@given(st.data())
def test_any_checks(data):
    """Each field gets what its check gives, or why it could not; what begins has all that it waits for behind it."""
    order: list[str] = []
    some = st.lists(st.sampled_from(FIELDS), max_size=3).map(tuple)
    fields = data.draw(st.lists(st.sampled_from(FIELDS), unique=True))
    needs, after = ({field: data.draw(some) for field in fields} for _ in range(2))
    broken = data.draw(st.sets(st.sampled_from(FIELDS)))

    def look_at(field):
        def look(_, evidence):
            order.append(field)
            for need in needs[field]:
                assert getattr(evidence, need) == need
            if field in broken:
                raise ValueError
            return replace(evidence, **{field: field})

        return look

    evidence = run(*(Check(f"of {f}", (f,), look_at(f), needs=needs[f], after=after[f]) for f in fields))
    assert len(order) == len(set(order))
    for field in FIELDS:
        value = getattr(evidence, field)
        if field in order:
            assert value == (Failed("The check failed: ValueError.") if field in broken else field)
            waited_for = [each for each in needs[field] + after[field] if each in order]
            assert all(order.index(each) < order.index(field) for each in waited_for)
        else:
            assert isinstance(value, NotLooked)
            assert (value.waits_for.removeprefix("of ") in fields) or value == NotLooked()


def test_ctrl_c(silent):
    after = threading.Event()

    def never(_, evidence):
        after.set()
        return evidence

    with pytest.raises(KeyboardInterrupt), interrupt_when(silent.begun.is_set):
        run(Check("clock", ("clock",), silent, limit=LONG), Check("log", ("log",), never, after=("clock",)), whole=LONG)
    silent.may_end.set()
    assert not after.is_set(), "nothing more has begun"


@pytest.mark.usefixtures("own_configuration")
def test_the_diagnosis(monkeypatch):
    """The list of checks, and the verdict on what they give."""
    verdict = ModuleType("rds_iam_magic.doctor.verdict")
    verdict.diagnosis_of = lambda evidence: ("of", evidence)
    monkeypatch.setitem(sys.modules, verdict.__name__, verdict)

    def look(tools, evidence):
        return replace(evidence, network=Network("open", f"{tools.secret} {tools.session.region_name}"))

    monkeypatch.setattr(list_of_checks, "ALL", (Check("network", ("network",), look),))
    for options, address in ((ConnectOptions(region="eu-west-1"), "s eu-west-1"), (ConnectOptions(profile="no"), "")):
        said, evidence = diagnose_with(ASKED, options, TargetOptions(), "s", lambda _: None)
        assert said == "of"
        assert evidence.asked == ASKED
        assert evidence.keys is NOT_LOOKED
        if address:
            assert evidence.network == Network("open", address)
        else:
            assert evidence.network == Failed("The config profile (no) could not be found.")


def test_what_there_was_no_time_for_waits_for_what_is_missing(silent):
    evidence = run(
        Check("region", ("known_in",), fills("known_in", "")),
        Check("clock", ("clock",), silent, limit=LONG, after=("known_in",)),
        Check("log", ("log",), fills("log", ()), needs=("known_in", "clock")),
        whole=0.2,
    )
    assert isinstance(evidence.clock, Failed)
    assert evidence.log == NotLooked("clock"), "not for what is there"
