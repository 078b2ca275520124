"""`%rds_iam_user`, in a shell and a sandbox: what is shown of each subcommand, and what runs."""

import os

import pytest

from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.connecting import connect_as_master
from rds_iam_magic.errors import OptionError, TargetError, UserSetupError

pytestmark = pytest.mark.slow  # servers and kernels

AT = "--target sandbox"


@pytest.fixture
def cells(shell, inside):
    """A shell; users and roles made in it are dropped."""
    yield shell
    with inside.server.root() as root:
        root.execute("SELECT User, Host FROM mysql.user WHERE User LIKE 'nb%'")
        for user, host in root.fetchall():
            name = "`" + user.replace("`", "``") + "`"
            root.execute(f"DROP USER {name}@`{host}`" if host else f"DROP ROLE {name}")


def test_from_nothing_to_a_query_and_back(cells):
    """With the secret that RDS manages; each subcommand, twice."""
    first = cells.ok(f"%rds_iam_user create nb_ana {AT} --grant 'SELECT (id, name) ON shop.customers'").output
    assert "Created nb_ana." in first
    assert "AWSAuthenticationPlugin" in first
    assert "SSL" in first
    again = cells.ok(f"%rds_iam_user create nb_ana {AT} --grant 'SELECT (id, name) ON shop.customers'").output
    assert "nb_ana already existed, with these grants; nothing was changed." in again
    cells.ok("%rds_iam_connect sandbox -u nb_ana -d shop")
    assert cells.ok("%rds_sql SELECT COUNT(name) AS n FROM customers").value["n"].iloc[0] == 4000
    assert cells("%rds_sql SELECT COUNT(*) FROM orders").error is not None
    assert "Granted to nb_ana@%." in cells.ok("%rds_iam_user grant nb_ana --grant 'SELECT ON shop.*'").output
    assert "Nothing was changed." in cells.ok("%rds_iam_user grant nb_ana --grant 'SELECT ON shop.*'").output
    shown = cells.ok("%rds_iam_user show nb_ana").output
    assert "nb_ana@% holds:\n  SELECT ON `shop`.*\n  SELECT (`id`, `name`) ON `shop`.`customers`\n" in shown
    listed = cells.ok("%rds_iam_user list").value
    assert listed[listed["User"] == "nb_ana"].iloc[0].tolist() == [
        "nb_ana", "%", "AWSAuthenticationPlugin", "SSL", False, ""
    ]  # fmt: skip
    both = "--grant 'SELECT ON shop.*' --grant 'ALL ON shop.customers'"
    assert "Revoked from nb_ana@%." in cells.ok(f"%rds_iam_user revoke nb_ana {both}").output
    again = cells.ok(f"%rds_iam_user revoke nb_ana {both}").output
    assert "Nothing was changed." in again
    assert "nb_ana has no privileges" in again
    assert "nb_ana@% holds nothing" in cells.ok("%rds_iam_user show nb_ana").output
    dropped = cells.ok("%rds_iam_user drop nb_ana").output
    assert dropped == "Dropped nb_ana@%. Sessions that it has open go on until they end.\n"
    assert cells.ok("%rds_iam_user drop nb_ana").output == "Note: There is no user nb_ana@%.\nNothing was changed.\n"


def test_the_dry_run(cells):
    line = f"%rds_iam_user create nb_ana {AT} --grant 'ALL ON shop.orders' --grant 'SUPER ON *.*' --dry-run"
    assert cells.ok(line).output == (
        "Note: ALL ON `shop`.`orders` leaves out what the master user may not grant: DELETE HISTORY.\n"
        "Note: the master user may not grant SUPER ON *.*: that would be refused.\n"
        "CREATE USER `nb_ana`@`%` IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;\n"
        "GRANT ALTER, CREATE, CREATE VIEW, DELETE, DROP, INDEX, INSERT, REFERENCES, SELECT, SHOW VIEW, TRIGGER, UPDATE "
        "ON `shop`.`orders` TO `nb_ana`@`%`;\n"
        "GRANT SUPER ON *.* TO `nb_ana`@`%`;\n"
        "This is what would run; --dry-run has changed nothing.\n"
    )
    assert "There is nothing to change" in cells.ok(f"%rds_iam_user drop nb_ana {AT} -N").output
    listed = cells.ok(f"%rds_iam_user list {AT} --dry-run")
    assert "only reads" in listed.output
    assert "nb_ana" not in listed.value["User"].tolist()


def test_what_is_printed_can_be_run_by_hand(cells):
    """Pasted from the output into a session of the master user; then the command has nothing left to do."""
    name = "nb_`x; --\\"
    grants = "--grant 'SELECT (id), DELETE ON shop.orders' --grant 'ALL ON `a;-- b`.*'"
    line = f'%rds_iam_user create "{name}" {AT} {grants}'
    printed = [text for text in cells.ok(f"{line} --dry-run").output.splitlines() if not text.startswith("Note: ")]
    assert printed.pop().startswith("This is what would run")
    with connect_as_master("sandbox/master", ConnectOptions()) as master:
        master.execute("\n".join(printed))
    assert "There is nothing to change" in cells.ok(f"{line} --dry-run").output
    assert "nothing was changed" in cells.ok(line).output
    assert "DELETE, SELECT (`id`) ON `shop`.`orders`" in cells.ok(f'%rds_iam_user show "{name}" {AT}').output


def test_the_grants_of_another_and_a_role(cells, inside):
    with inside.server.root() as root:
        root.execute("CREATE ROLE nb_role WITH ADMIN 'admin'@'%'")
        root.execute("GRANT SELECT ON shop.* TO nb_role")
    cells.ok(f"%rds_iam_user create nb_ana {AT} --grant nb_role --grant 'EXECUTE ON shop.*'")
    cells.ok(f"%rds_iam_user create nb_bea {AT} --like nb_ana --host '10.%'")
    shown = cells.ok(f"%rds_iam_user show nb_bea {AT}").output
    assert "nb_bea@10.% holds:\n  `nb_role`\n  EXECUTE ON `shop`.*\n" in shown
    for how in ("--dry-run", ""):
        other = cells.ok(f"%rds_iam_user create nb_bea {AT} {how}").output
        assert "Other accounts that may be taken for it, by another host or case:" in other
        assert "10.%" in other


def test_what_is_advised_can_be_run(cells):
    """For the very account: its host, its name in quotes, the database as it was named."""
    for words in ("nb_a --host 10.%", "'nb_b ''c' --secret sandbox/master", '"nb_ d"'):
        where = "" if "--secret" in words else AT
        said = cells.ok(f"%rds_iam_user create {words} {where}").output
        (advice,) = [line for line in said.splitlines() if "Grant some: " in line]
        line = advice.partition("Grant some: ")[2].removesuffix(".")
        assert "Granted to" in cells.ok(line.replace("SELECT ON …", "SELECT ON shop.*")).output
    cells.ok("odd = \"'nb_\\nx'\"")
    said = cells.ok(f"%rds_iam_user create {{odd}} {AT}").output
    assert "Created nb_\\nx." in said
    assert "%rds_iam_user grant NAME --grant" in said


def test_what_a_user_may_get_wrong(cells):
    for line, error, words in (
        ("create nb_ana --grant 'SELEKT ON shop.*'", UserSetupError, "Did you mean SELECT?"),
        ("create nb_ana --grant 'SELECT ON shop.*' --grant 'nb_rle'", UserSetupError, "There is no role nb_rle"),
        ("create nb_ana --grant 'SELECT ON shop.* WITH GRANT OPTION'", OptionError, "is not granted here"),
        ("create nb_ana@10.%", OptionError, "Give the name nb_ana and the host pattern 10.% apart."),
        ("create nb_ana --host 10.0.0.0/8", OptionError, "Write 10.0.0.0/255.0.0.0."),
        ("create nb_ana --host '10.*'", OptionError, "% stands for any"),
        ("grant raeder --grant 'SELECT ON shop.*'", UserSetupError, "there is reader."),
        ("show Reader", UserSetupError, "there is reader@%."),
        ("drop admin", UserSetupError, "logs in with mysql_native_password; nothing was changed"),
        ("create nb_ana --grant 'SELECT ON shop.ordres'", UserSetupError, "Table 'shop.ordres' doesn't exist (1146)"),
    ):
        cell = cells(f"%rds_iam_user {line} {AT}")
        assert isinstance(cell.error, error), cell.output
        assert words in cell.output
        assert len(cell.output.splitlines()) <= 2
    listed = cells.ok(f"%rds_iam_user list {AT}").value["User"].tolist()
    assert listed.count("nb_ana") == 1  # its grant was refused; that it was created, was said


def test_which_database_is_meant(cells, monkeypatch):
    cell = cells("%rds_iam_user list")
    assert isinstance(cell.error, TargetError)
    assert "Add --target TARGET or --secret SECRET_ID, or connect first." in cell.output
    cell = cells("%rds_iam_user list --target standalone")
    assert "RDS manages no secret" in cell.output
    assert "--secret SECRET_ID" in cell.output
    assert "reader" in cells.ok("%rds_iam_user list --secret sandbox/standalone/master").output
    via = os.environ["RDS_IAM_MAGIC_VIA"]
    monkeypatch.delenv("RDS_IAM_MAGIC_VIA")
    cells.ok(f"%rds_iam_connect sandbox -u reader --profile inline --via {via} -A first")
    assert "reader" in cells.ok("%rds_iam_user list --profile administrator").output
