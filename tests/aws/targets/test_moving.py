"""The endpoint of what moves, for each session."""

import pytest

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.aws.targets.moving import Current
from rds_iam_magic.errors import AwsError, CredentialsError, TargetError

WEST, EAST = Endpoint("west.example", "eu-west-1"), Endpoint("east.example", "ap-northeast-1")


def current(*answers):
    """`Current` at first in the west; an answer that is an error is raised."""
    waiting, notes = list(answers), []

    def again():
        answer = waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Current(WEST, again, notes.append), notes


def test_the_first_session_needs_no_second_look_and_each_later_one_has_its_own():
    now, notes = current(WEST, EAST, EAST, WEST)
    assert [now.endpoint() for _ in range(5)] == [WEST, WEST, EAST, EAST, WEST]
    assert notes == [
        "the endpoint is east.example now, no longer west.example.",
        "the endpoint is west.example now, no longer east.example.",
    ]


@pytest.mark.parametrize(
    "error",
    [
        AwsError("AWS failed."),
        CredentialsError("expired"),
        TargetError("no writer", cause="global-without-writer"),
        TargetError("no endpoint", cause="endpoint-not-ready"),
    ],
)
def test_the_last_one_known_if_aws_does_not_tell(error):
    now, notes = current(EAST, error, WEST)
    assert [now.endpoint() for _ in range(4)] == [WEST, EAST, EAST, WEST]
    assert len(notes) == 2


def test_what_is_gone_is_an_error():
    now, _ = current(TargetError("There is none.", cause="target-unknown"))
    now.endpoint()
    with pytest.raises(TargetError, match="There is none"):
        now.endpoint()
