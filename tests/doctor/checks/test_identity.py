"""Who the credentials are, what AWS's clock says, and which partition has a key that this one has not."""

import json
from dataclasses import replace

import pytest

from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.doctor.checks.check import Tools
from rds_iam_magic.doctor.checks.identity import IDENTITY
from rds_iam_magic.doctor.evidence import NOT_LOOKED, Asked, Evidence, Failed, Identity, Keys, NotLooked, NotPermitted
from tests.doctor.checks.conftest import CODES
from tests.support.fake_aws import answering, by_region
from tests.support.permissions import USER, only

pytestmark = pytest.mark.slow  # servers and kernels

HOST = "app.cluster-abc123.us-east-1.rds.amazonaws.com"
WAITS = NotLooked(waits_for="credentials")


def test_a_user(look, inside):
    with only(inside) as profile:
        evidence = look.first(IDENTITY, target=HOST, profile=profile)
    arn = f"arn:aws:iam::123456789012:user/{profile}"
    assert evidence.identity == Identity(arn, "123456789012", arn)
    assert abs(evidence.clock) < 5
    assert evidence.known_in == NOT_LOOKED


@pytest.fixture
def role(inside):
    """A role with a path, which may do what the test says."""
    iam = inside.client("iam")
    trusted = {"AWS": f"arn:aws:iam::123456789012:user/{USER}"}
    trust = {"Statement": [{"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}]}
    document = json.dumps({"Version": "2012-10-17", **trust})
    iam.create_role(RoleName="deep", Path="/of/ours/", AssumeRolePolicyDocument=document)

    def allow(*actions):
        statement = {"Effect": "Allow", "Action": ["sts:GetCallerIdentity", *actions], "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName="deep", PolicyName="only", PolicyDocument=document)
        return "arn:aws:iam::123456789012:role/of/ours/deep"

    yield allow
    iam.delete_role_policy(RoleName="deep", PolicyName="only")
    iam.delete_role(RoleName="deep")


@pytest.mark.parametrize(("actions", "is_known"), [(["iam:GetRole"], True), ([], False)])
def test_the_role_of_a_session_with_its_path(look, inside, role, actions, is_known):
    """The path is in the role's own ARN only, and policies are simulated for that one."""
    arn = role(*actions)
    with only(inside, "sts:AssumeRole") as profile:
        identity = look.first(IDENTITY, target=HOST, profile=profile, role_arn=arn).identity
    assert identity.arn.startswith("arn:aws:sts::123456789012:assumed-role/deep/")
    assert identity.is_session
    assert identity.principal == (arn if is_known else NotPermitted("iam:GetRole"))


CALLER = """<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account><Arn>{}</Arn>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        ("arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root"),
        ("arn:aws:iam::123456789012:user/of/ours/ana", "arn:aws:iam::123456789012:user/of/ours/ana"),
        ("arn:aws:sts::123456789012:federated-user/ana", None),
    ],
)
def test_others(look, inside, monkeypatch, arn, principal):
    assert inside.server.pid
    with answering(lambda *_: (200, CALLER.format(arn).encode())) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        identity = look.first(IDENTITY, target=HOST).identity
    assert identity.arn == arn
    assert identity.principal == principal or (principal is None and isinstance(identity.principal, Failed))


def test_a_role_that_has_been_deleted(look, inside, monkeypatch):
    """Its sessions live on."""
    assert inside.server.pid
    arn = "arn:aws:sts::123456789012:assumed-role/gone/ana"
    with answering(lambda *_: (200, CALLER.format(arn).encode())) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        identity = look.first(IDENTITY, target=HOST).identity
    assert identity.arn == arn
    assert "NoSuchEntity" in identity.principal.what


def refusal(code):
    return 403, f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>".encode()


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("ExpiredToken", "credentials-expired"),
        ("SignatureDoesNotMatch", "access-key-refused"),
        ("InvalidClientTokenId", "access-key-refused"),
    ],
)
def test_keys_that_aws_refuses(look, inside, monkeypatch, code, cause):
    assert inside.server.pid
    with answering(lambda *_: refusal(code), ahead=1200) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        evidence = look.first(IDENTITY, target=HOST)
    assert evidence.identity.cause == cause
    assert -1202 < evidence.clock < -1195
    known_in = {"InvalidClientTokenId": "", "SignatureDoesNotMatch": "aws"}
    assert evidence.known_in == known_in.get(code, NOT_LOOKED)


def test_keys_that_the_sandboxs_aws_does_not_know(look, inside, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unknown")
    with only(inside):
        evidence = look.first(IDENTITY, target=HOST)
    assert (evidence.identity.cause, evidence.known_in) == ("access-key-refused", "")


def test_nobody_can_be_denied_but_by_an_endpoints_policy(look, inside, monkeypatch):
    assert inside.server.pid
    with answering(lambda *_: refusal("AccessDenied"), ahead=-400) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        evidence = look.first(IDENTITY, target=HOST)
    assert evidence.identity == NotPermitted("sts:GetCallerIdentity")
    assert 395 < evidence.clock < 402


@pytest.mark.parametrize(("answer", "cause"), CODES)
def test_without_an_answer_nothing_is_known(look, inside, monkeypatch, answer, cause):
    assert inside.server.pid
    with answering(lambda *_: answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        evidence = look.first(IDENTITY, target=HOST)
    assert isinstance(evidence.identity, Failed)
    assert isinstance(evidence.clock, Failed) == (cause == "aws-response-invalid")


@pytest.mark.parametrize(
    ("options", "skew"),
    [({"role_arn": "arn:aws:iam::123456789012:role/analytics"}, 1200), ({"external_id": "x"}, None)],
)
def test_the_clock_is_asked_without_credentials_too(look, inside, monkeypatch, options, skew):
    """A clock that is wrong is why a role is refused."""
    seen = []
    assert inside.server.pid

    def handle(action, _):
        seen.append(action)
        return refusal("SignatureDoesNotMatch" if action == "AssumeRole" else "InvalidClientTokenId")

    with answering(handle, ahead=1200) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        evidence = look.first(IDENTITY, target=HOST, **options)
    assert (evidence.identity, evidence.known_in) == (WAITS, WAITS)
    if skew is None:
        assert evidence.clock == WAITS
    else:
        assert evidence.keys.cause == "access-key-refused"
        assert seen == ["AssumeRole", "GetCallerIdentity"]
        assert -1202 < evidence.clock < -1195


@pytest.fixture
def own_keys(own_configuration, monkeypatch):  # noqa: ARG001 - it empties what this fills
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.mark.parametrize(
    ("target", "region", "asked"),
    [
        (f"{HOST.replace('us-east-1', 'us-gov-west-1')}", "eu-west-1", "us-gov-west-1"),
        (f"{HOST.replace('us-east-1', 'us-gov-west-1')}", None, "us-gov-west-1"),
        ("127.0.0.1", "eu-west-1", "eu-west-1"),
        ("127.0.0.1", None, "eu-west-3"),
    ],
)
@pytest.mark.usefixtures("own_keys")
def test_sts_is_asked_where_the_endpoint_is(look, monkeypatch, target, region, asked):
    """By its name; else where the session is. Keys of another partition are unknown to all but its own."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    tools = Tools(ConnectOptions(region=region), TargetOptions())
    regions = by_region(tools.session, "sts", lambda _: (200, CALLER.format("arn:aws:iam::1:root").encode()))
    evidence = look.first(target=target, region=region)
    assert isinstance(IDENTITY.look(tools, evidence).identity, Identity)
    assert regions == [asked]


@pytest.mark.usefixtures("own_keys")
def test_any_region_will_do_where_there_is_none(monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    tools = Tools(ConnectOptions(), TargetOptions())
    regions = by_region(tools.session, "sts", lambda _: (200, CALLER.format("arn:aws:iam::1:root").encode()))
    evidence = replace(Evidence(Asked("reader")), keys=Keys("env", temporary=False))
    assert isinstance(IDENTITY.look(tools, evidence).identity, Identity)
    assert regions == ["us-east-1"]


@pytest.mark.parametrize(
    ("knows", "known_in"),
    [
        ({"us-gov-west-1": (200, CALLER.format("x").encode())}, "aws-us-gov"),
        ({"cn-north-1": (503, b"")}, Failed),
        ({}, ""),
    ],
)
@pytest.mark.usefixtures("own_keys")
def test_the_partition_that_has_the_keys(look, knows, known_in):
    tools = Tools(ConnectOptions(), TargetOptions())
    regions = by_region(tools.session, "sts", lambda region: knows.get(region, refusal("InvalidClientTokenId")))
    evidence = IDENTITY.look(tools, look.first(target=HOST))
    assert evidence.identity.cause == "access-key-refused"
    assert evidence.known_in == known_in or isinstance(evidence.known_in, Failed) == (known_in is Failed)
    assert sorted(regions) == ["cn-north-1", "us-east-1", "us-gov-west-1"], "each once"
