"""All users and roles of an account with their policies: as AWS words them, and in the sandbox."""

import json
from urllib.parse import quote

import pytest

from rds_iam_magic.aws.policies.evaluate import Policy, Verdict, evaluate
from rds_iam_magic.aws.policies.holders import read_holders
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.errors import AwsError
from tests.support.fake_aws import answering
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels

REGION = "us-east-1"
ARN = "arn:aws:rds-db:us-east-1:123456789012:dbuser:cluster-ABC/reader"
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
IAM = "arn:aws:iam::123456789012:"


def encoded(document):
    return quote(json.dumps(document, indent=2), safe="")


def page(users="", groups="", roles="", policies="", marker=""):
    """An answer as IAM words it; documents are URL-encoded."""
    more = f"<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>" if marker else "<IsTruncated>false</IsTruncated>"
    return (
        '<GetAccountAuthorizationDetailsResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        f"<GetAccountAuthorizationDetailsResult>{more}<UserDetailList>{users}</UserDetailList>"
        f"<GroupDetailList>{groups}</GroupDetailList><RoleDetailList>{roles}</RoleDetailList>"
        f"<Policies>{policies}</Policies></GetAccountAuthorizationDetailsResult>"
        "<ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></GetAccountAuthorizationDetailsResponse>"
    ).encode()


def attached(name, arn):
    policy = f"<PolicyName>{name}</PolicyName><PolicyArn>{arn}</PolicyArn>"
    return f"<AttachedManagedPolicies><member>{policy}</member></AttachedManagedPolicies>"


def inline(kind, name):
    policy = f"<PolicyName>{name}</PolicyName><PolicyDocument>{encoded(DOCUMENT)}</PolicyDocument>"
    return f"<{kind}PolicyList><member>{policy}</member></{kind}PolicyList>"


ANA = (
    f"<member><UserName>ana</UserName><Path>/team/</Path><UserId>AIDA1</UserId><Arn>{IAM}user/team/ana</Arn>"
    f"{inline('User', 'own')}<GroupList><member>team</member><member>gone</member></GroupList>"
    f"<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType><PermissionsBoundaryArn>{IAM}"
    "policy/limit</PermissionsBoundaryArn></PermissionsBoundary>"
    "<Tags><member><Key>Team</Key><Value>data</Value></member></Tags></member>"
)
TEAM = (
    f"<member><GroupName>team</GroupName><Path>/</Path><GroupId>A</GroupId><Arn>{IAM}group/team</Arn>"
    f"{inline('Group', 'shared')}{attached('limit', f'{IAM}policy/limit')}</member>"
)
ROLE = (
    f"<member><RoleName>etl</RoleName><Path>/</Path><RoleId>AROA1</RoleId><Arn>{IAM}role/etl</Arn>"
    f"{attached('AdministratorAccess', 'arn:aws:iam::aws:policy/AdministratorAccess')}</member>"
)


def managed(name, arn, *versions):
    rows = "".join(
        f"<member><Document>{encoded(document)}</Document><VersionId>v{at}</VersionId>"
        f"<IsDefaultVersion>{str(is_default).lower()}</IsDefaultVersion></member>"
        for at, (document, is_default) in enumerate(versions)
    )
    return (
        f"<member><PolicyName>{name}</PolicyName><Arn>{arn}</Arn><DefaultVersionId>v1</DefaultVersionId>"
        f"<PolicyVersionList>{rows}</PolicyVersionList></member>"
    )


LIMIT = managed("limit", f"{IAM}policy/limit", ({"Statement": []}, False), (DOCUMENT, True))


def test_in_pages_as_aws_words_them(inside, monkeypatch):
    assert inside.server.pid
    asked = []

    def answer(action, body):
        asked.append(action)
        assert b"AWSManagedPolicy" in body
        is_first = b"Marker" not in body
        return 200, page(users=ANA, marker="next") if is_first else page(groups=TEAM, roles=ROLE, policies=LIMIT)

    with answering(answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", url)
        ana, etl = read_holders(open_session(), REGION)
    assert asked == ["GetAccountAuthorizationDetails"] * 2
    assert (ana.arn, str(ana.principal), ana.principal.account) == (
        f"{IAM}user/team/ana",
        "user/team/ana",
        "123456789012",
    )
    assert ana.policies == (
        Policy("own", DOCUMENT),
        Policy("shared of group/team", DOCUMENT),
        Policy("limit of group/team", DOCUMENT),
        Policy("the policies of group/gone", None),
    )
    assert ana.boundary == Policy("limit", DOCUMENT)
    assert ana.variables == {
        "aws:principalarn": f"{IAM}user/team/ana",
        "aws:principalaccount": "123456789012",
        "aws:principaltag/team": "data",
        "aws:username": "ana",
        "aws:principaltype": "User",
        "aws:userid": "AIDA1",
    }
    assert etl.policies == (Policy("AdministratorAccess", None),)  # AWS gives the documents of its own that are used
    assert etl.boundary is None
    assert etl.variables["aws:username"] is None


def test_in_the_sandbox(inside):
    assert inside.server.pid
    holders = {str(holder.principal): holder for holder in read_holders(open_session(), REGION)}
    arn = ARN.replace(
        "cluster-ABC", inside.client("rds").describe_db_clusters()["DBClusters"][0]["DbClusterResourceId"]
    )
    verdicts = {name: evaluate(holder.policies, "rds-db:connect", arn) for name, holder in holders.items()}
    assert {name: (decision.verdict, decision.policy) for name, decision in verdicts.items()} == {
        "user/administrator": (Verdict.ALLOWED, "all"),
        "user/inline": (Verdict.ALLOWED, "connect"),
        "user/grouped": (Verdict.ALLOWED, "connect of group/analysts"),
        "user/managed": (Verdict.ALLOWED, "connect-anywhere"),
        "user/denied": (Verdict.DENIED, "no"),
        "user/stranger": (Verdict.NOT_ALLOWED, ""),
        "role/analytics": (Verdict.ALLOWED, "connect"),
    }


def test_a_boundary_in_the_sandbox(account):
    arn = account.iam.create_policy(PolicyName="bound", PolicyDocument=json.dumps(DOCUMENT))["Policy"]["Arn"]
    account.role("limited")
    account.iam.put_role_permissions_boundary(RoleName="limited", PermissionsBoundary=arn)
    (limited,) = [each for each in read_holders(open_session(), REGION) if each.principal.name == "limited"]
    assert limited.boundary == Policy("bound", DOCUMENT)
    account.iam.delete_role_permissions_boundary(RoleName="limited")
    account.iam.delete_policy(PolicyArn=arn)


def test_without_the_permission_it_is_named(inside):
    with only(inside, "rds:DescribeDBClusters") as profile, pytest.raises(AwsError) as caught:
        read_holders(open_session(profile=profile), REGION)
    assert caught.value.cause == "aws-denied"
    assert "iam:GetAccountAuthorizationDetails" in str(caught.value)


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html></html>", b"<html><p>Log in</p></html>", b"{}"])
def test_a_page_instead_of_iam(inside, monkeypatch, body):
    assert inside.server.pid
    with answering(lambda *_: (200, body)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", url)
        with pytest.raises(AwsError, match="Something other than AWS answered"):
            read_holders(open_session(), REGION)
