"""Which finding a number means, and what is said where there is nothing to mend. What is changed: notebook/doctor."""

from dataclasses import replace

import pytest

from rds_iam_magic.aws.endpoint import Destination
from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.doctor.diagnosing import Attempt
from rds_iam_magic.doctor.findings import AttachPolicy, Diagnosis, Finding, Verdict
from rds_iam_magic.doctor.fixing import apply, finding_to_fix
from rds_iam_magic.errors import OptionError
from tests.doctor.given import FINDINGS, diagnosis


def test_the_number_is_the_findings():
    assert finding_to_fix(diagnosis(), 5) is FINDINGS[4]
    assert finding_to_fix(diagnosis(), 12) is FINDINGS[-1], "not its place in the list"


@pytest.mark.parametrize(
    ("number", "message", "hint"),
    [
        (7, "There is no finding 7; there are 7.", "can be mended from here: 5, 12."),
        (1, r"Finding 1 \(credentials\) is no problem; nothing was changed.", "5, 12."),
        (6, r"Finding 6 \(database user\) is unknown; there is nothing to mend yet: The accounts", "5, 12."),
        (4, r"Finding 4 \(proxy\) is skipped; there is nothing to mend yet: It waits", "5, 12."),
        (3, r"Finding 3 \(server\) has no mend that is safe from here: The server rejected the token.", "came up"),
    ],
)
def test_what_cannot_be_mended_says_what_can(number, message, hint):
    with pytest.raises(OptionError, match=message) as caught:
        finding_to_fix(diagnosis(), number)
    assert hint in caught.value.hint


def test_a_mend_to_be_done_by_hand():
    finding = Finding(1, "network", "problem", "Nothing answers.", mend="Open port 3306.")
    with pytest.raises(OptionError) as caught:
        finding_to_fix(Diagnosis(Verdict("certain", ("a",), "It is closed."), (finding,)), 1)
    assert caught.value.hint == "Do what its mend says, by hand."


def test_an_arn_of_something_else_is_refused_before_anything_is_asked():
    finding = replace(FINDINGS[4], fix=AttachPolicy("role/a", "arn:aws:rds:eu-west-1:123456789012:db:a"))
    with pytest.raises(OptionError, match="not the ARN of a database user"):
        apply(finding, Attempt(Destination("a", "b"), ConnectOptions()), print)
