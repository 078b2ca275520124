"""RDS's log of refused logins: its words, one user's lines, and what is none."""

import datetime as dt

import pytest

from rds_iam_magic.aws.logs.refusals import MOST, Source, read_refusals, refusal_of
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.errors import AwsError
from tests.support.fake_aws import answering, refusing

pytestmark = pytest.mark.slow  # servers and kernels

NOW = dt.datetime.now(dt.timezone.utc)
ORDERS = Source("cluster", "orders", "us-east-1")
REFUSED = "[ERROR] Failed to {} the connection request for user {} {}"
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
MALFORMED = "because the provided token is malformed or otherwise invalid. (Status Code: 400, Error Code: InvalidToken)"
OLD = "because the token age is longer than 15 minutes. (Status Code: 400, Error Code:ExpiredToken)"
DENIED = (
    "because the IAM policy assumed by the caller 'arn:aws:sts::123456789012:assumed-role/ analyst/ me' is not "
    "authorized to perform `rds-db:connect` on the DB instance. (Status Code: 403, Error Code:NotAuthorized)"
)
THROTTLED = "due to IAM DB authentication throttling. (Status Code: 429, Error Code: ThrottlingException)"
FAULT = "due to an internal IAM DB authentication error. (Status Code: 500, Error Code: InternalError)"


def line(why, user="ana", verb="authenticate"):
    return REFUSED.format(verb, user, why)


@pytest.mark.parametrize(
    ("why", "of"),
    [
        (MALFORMED, "token"),
        (OLD, "token"),
        (DENIED, "permission"),
        (THROTTLED, "throttling"),
        (FAULT, "server"),
        ("because the token age is longer than 15 minutes.", "token"),
        ("because it is not authorized to perform rds-db:connect", "permission"),
        ("because of something new. (Status Code: 418, Error Code: Teapot)", None),
        ("because the token age is longer than 15 minutes. (Error Code: Teapot)", None),
        ("because it did", None),
    ],
)
def test_its_class_only_if_the_words_are_known(why, of):
    assert refusal_of(0, line(why)).of == of


def test_its_words_are_one_line_without_a_token():
    token = "X-Amz-Signature=0123456789abcdef&X-Amz-Security-Token=IQoJb3JpZ2luX2Vj"
    refusal = refusal_of(1_700_000_000_500, f"[ERROR]  Failed\n for \x1b user ana: {token}")
    assert refusal.words == "[ERROR] Failed for ? user ana: X-Amz-…&X-Amz-…"
    assert refusal.at == dt.datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=dt.timezone.utc)


class Log:
    """The log of a cluster of the sandbox's account, whose group a test makes."""

    def __init__(self, sandbox, source, now=NOW):
        self.now = now
        self.logs = sandbox.client("logs")
        self.source = source
        self.logs.create_log_group(logGroupName=source.group)
        self.logs.create_log_stream(logGroupName=source.group, logStreamName="s")

    def write(self, *entries):
        events = [
            {"timestamp": int((self.now - dt.timedelta(seconds=age)).timestamp() * 1000), "message": text}
            for age, text in sorted(entries, reverse=True)
        ]
        self.logs.put_log_events(logGroupName=self.source.group, logStreamName="s", logEvents=events)

    def close(self):
        self.logs.delete_log_group(logGroupName=self.source.group)


@pytest.fixture
def log(inside):
    made = Log(inside, ORDERS)
    yield made
    made.close()


def read(user="ana", source=ORDERS, **options):
    return read_refusals(open_session(**options), source, user, NOW)


def test_the_latest_of_the_user_first(log):
    log.write((30, line(MALFORMED)), (20, line(DENIED, verb="authorize")), (10, line(OLD, user="bea")))
    assert [(each.of, each.at < NOW) for each in read()] == [("permission", True), ("token", True)]


@pytest.mark.parametrize("user", ["'ana'", '"ana"', "`ana`"])
def test_a_user_in_quotes(log, user):
    log.write((5, line(MALFORMED, user=user)))
    assert len(read()) == 1


@pytest.mark.parametrize("user", ["Ana", "ana2", "ana.b", "ana-b", "bana", "'ana b'", "x ana"])
def test_another_user(log, user):
    log.write((5, line(MALFORMED, user=user)))
    assert read() == []


def test_the_last_minutes_only(log):
    log.write((300, line(MALFORMED)), (1200, line(DENIED)))
    assert [each.of for each in read()] == ["token"]


def test_not_more_than_that(log):
    log.write(*((number, line(MALFORMED)) for number in range(1, 31)))
    found = read()
    assert len(found) == MOST
    assert found[0].at > found[-1].at


def test_a_log_that_is_not_there(inside):
    assert inside.server.pid
    assert read(source=Source("instance", "nothing", "us-east-1")) is None


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (refusing("AccessDeniedException", "User: x is not authorized to perform: logs:FilterLogEvents"), "aws-denied"),
        (refusing("ThrottlingException", "Rate exceeded"), "aws-throttled"),
        (lambda *_: (200, b"<!DOCTYPE html><html></html>"), "aws-response-invalid"),
        (lambda *_: (200, b"{}"), "aws-response-invalid"),
    ],
)
def test_what_is_no_answer(keys, answer, cause):
    with answering(answer) as url:
        keys.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", url)
        with pytest.raises(AwsError) as caught:
            read()
    assert caught.value.cause == cause


def test_a_source_names_its_log():
    assert ORDERS.group == "/aws/rds/cluster/orders/iam-db-auth-error"
    assert Source("instance", "one", "us-east-1").group == "/aws/rds/instance/one/iam-db-auth-error"
