"""`--fix N` in a sandbox: what a finding says is done once, shown, and looked at again."""

import pytest

import rds_iam_magic
from rds_iam_magic.doctor import diagnose as running
from rds_iam_magic.doctor.findings import AttachPolicy, CreateUser, Diagnosis, EnableIam, Finding, Verdict
from rds_iam_magic.errors import AwsError, OptionError

pytestmark = pytest.mark.slow  # servers and kernels

HEALTHY = Diagnosis(Verdict("healthy", (), "It works."), (Finding(1, "server", "ok", "It let the user in."),))


@pytest.fixture
def iam(inside):
    client = inside.client("iam")
    yield client
    for name in client.list_user_policies(UserName="stranger")["PolicyNames"]:
        client.delete_user_policy(UserName="stranger", PolicyName=name)


@pytest.fixture
def found(monkeypatch):
    """Makes the first diagnosis have a finding with a fix; the second one is healthy."""

    def of(fix, number=4, sentence="That is missing."):
        first = Diagnosis(
            Verdict("certain", ("a",), "It does not work."), (Finding(number, "server", "problem", sentence, fix=fix),)
        )
        left = [HEALTHY, first]
        monkeypatch.setattr(running, "diagnose_with", lambda *_: left.pop(), raising=False)
        return left

    return of


def test_a_policy_is_attached(shell, iam, found):
    policy = shell.ok("%rds_iam_policy reader sandbox").output
    arn = policy.partition('"Resource": "')[2].partition('"')[0]
    left = found(AttachPolicy("arn:aws:iam::123456789012:user/stranger", arn))
    assert shell("%rds_iam_connect sandbox -u reader --profile stranger").error is not None
    cell = shell.ok("%rds_iam_doctor sandbox -u reader --fix 4")
    assert cell.output.startswith("Mending finding 4 (server): That is missing.\n")
    assert f'+      "Resource": "{arn}"' in cell.output
    assert "Changed rds-iam-connect of user/stranger" in cell.output
    assert (cell.value.verdict.certainty, left) == ("healthy", []), "it was diagnosed again, once"
    assert iam.list_user_policies(UserName="stranger")["PolicyNames"] == ["rds-iam-connect"]
    rds_iam_magic.connect("sandbox", user="reader", profile="stranger").close()


@pytest.mark.parametrize("secret", ["", " --secret sandbox/master"])
def test_a_user_is_created(shell, inside, found, secret):
    found(CreateUser("fixed user"))
    try:
        cell = shell.ok(f"%rds_iam_doctor sandbox -u 'fixed user' --reader --fix 4{secret}")
        assert "CREATE USER `fixed user`@`%` IDENTIFIED WITH AWSAuthenticationPlugin" in cell.output
        assert "Created 'fixed user'." in cell.output or "Created fixed user." in cell.output
        assert "has no privileges" in cell.output
        assert cell.value.verdict.certainty == "healthy"
        rds_iam_magic.connect("sandbox", user="fixed user", profile="administrator").close()
    finally:
        with inside.server.root() as root:
            root.execute("DROP USER IF EXISTS `fixed user`")


def test_iam_authentication_is_switched_on(shell, inside, found):
    rds = inside.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="switched", DBInstanceClass="db.t3.micro", Engine="mysql", AllocatedStorage=20,
        MasterUsername="admin", MasterUserPassword="sandbox-password", EnableIAMDatabaseAuthentication=False,
    )  # fmt: skip
    try:
        (row,) = rds.describe_db_instances(DBInstanceIdentifier="switched")["DBInstances"]
        found(EnableIam("switched", row["DBInstanceArn"]))
        cell = shell.ok("%rds_iam_doctor switched -u reader --fix 4")
        assert "IAM database authentication is being switched on for" in cell.output
        (row,) = rds.describe_db_instances(DBInstanceIdentifier="switched")["DBInstances"]
        assert row["IAMDatabaseAuthenticationEnabled"]
    finally:
        rds.delete_db_instance(DBInstanceIdentifier="switched", SkipFinalSnapshot=True)


def test_what_fails_in_mending_ends_the_run(shell, found):
    arn = "arn:aws:rds-db:eu-west-1:123456789012:dbuser:db-ABCDEFGH/reader"
    left = found(AttachPolicy("arn:aws:iam::123456789012:user/nobody-there", arn))
    cell = shell("%rds_iam_doctor sandbox -u reader --fix 4")
    assert isinstance(cell.error, AwsError)
    assert left == [HEALTHY], "nothing was diagnosed again"


@pytest.mark.parametrize(("number", "words"), [(4, "no mend that is safe"), (5, "There is no finding 5")])
def test_what_cannot_be_mended(shell, found, number, words):
    found(None)
    cell = shell(f"%rds_iam_doctor sandbox -u reader --fix {number}")
    assert isinstance(cell.error, OptionError)
    assert words in cell.output
