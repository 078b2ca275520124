"""`--save` and `--section`, in a real shell against the real server."""

import pytest

import rds_iam_magic
from rds_iam_magic.errors import OptionError

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def file(inside, tmp_path, monkeypatch):
    assert inside
    monkeypatch.setenv("RDS_IAM_MAGIC_CONNECTIONS", str(tmp_path / "connections.ini"))
    return tmp_path / "connections.ini"


def test_the_whole_way(shell, file):
    cell = shell.ok("%rds_iam_connect sandbox -u reader -d shop --time-zone +02:00 --no-autocommit -A mine --save prod")
    assert cell.output.splitlines()[-1] == f"Saved section prod in {file}."
    assert file.read_text() == (
        "[prod]\ntarget = sandbox\nuser = reader\ndatabase = shop\ntime_zone = +02:00\nautocommit = false\n"
    )
    listed = shell.ok("%rds_iam_connect -l").output.splitlines()
    assert listed[1:] == ["Sections (--section NAME): prod"]
    cell = shell.ok("%rds_iam_connect --section prod --read-only --autocommit")
    assert cell.output.startswith("Connected. prod: reader@sandbox.")
    assert "database shop · read-only · time zone +02:00 · autocommit" in cell.output
    assert shell.ok("%rds_sql SELECT @@time_zone AS z").value.loc[0, "z"] == "+02:00"
    cell = shell.ok("%rds_iam_connect standalone -s prod -A other")
    assert cell.output.startswith("Connected. other: reader@standalone.")
    cell = shell.ok("%rds_iam_connect --section prod --save prod --safe-updates")
    assert cell.output.splitlines()[-1] == f"Replaced section prod in {file}."
    assert "safe_updates = true\n" in file.read_text()


def test_an_empty_line_connects_by_the_section_default(shell, file):
    assert shell("%rds_iam_connect").error.cause == "not-connected"
    shell.ok("%rds_iam_connect sandbox -u reader -d shop -S default")
    assert shell.ok("%rds_iam_connect").output.startswith("sandbox: "), "which one it is, while there is one"
    shell.ok("%rds_iam_connect -x sandbox")
    assert shell.ok("%rds_iam_connect").output.startswith("Connected. default: reader@sandbox.")
    file.write_text("[default]\ntarget = sandbox\n")
    shell.ok("%rds_iam_connect -x default")
    assert shell("%rds_iam_connect").error.cause == "user-missing"
    assert file.exists()


def test_in_python(file):
    file.write_text("[prod]\ntarget = mysql://reader@sandbox/shop\nread_only = true\n")
    with rds_iam_magic.connect(section="prod") as db:
        assert (db.login.user, db.database, db.settings.read_only) == ("reader", "shop", True)
    with rds_iam_magic.connect("standalone", section="prod", user="reader") as db:
        assert (db.login.endpoint.identifier, db.database, db.settings.read_only) == ("standalone", None, True)
    with pytest.raises(OptionError, match="The target is empty"):
        rds_iam_magic.connect(user="reader")


def test_what_does_not_connect_is_not_saved(shell, file):
    assert shell("%rds_iam_connect sandbocks -u reader --save prod").error is not None
    assert shell("%rds_iam_connect sandbox -u reader --save 'a b'").error.cause == "section-name-invalid"
    assert shell("%rds_iam_connect sandbox --save prod").error is not None
    assert not file.exists()


def test_what_is_told(shell, file):
    error = shell("%rds_iam_connect -s prod").error
    assert error.hint == "Write one: %rds_iam_connect TARGET -u USER --save prod"
    file.write_text("[prod]\ntarget = sandbox\npassword = hunter2\n[alone]\ntarget = sandbox\n")
    cell = shell("%rds_iam_connect -s prod")
    assert cell.error.message == f"{file}, line 3: password may hold a secret."
    assert "hunter2" not in cell.output
    assert "hunter2" not in shell("%xmode Verbose\n%tb").output
    assert "did you mean prod?" in shell("%rds_iam_connect -s prd").output.lower()
    shell.ok("%rds_iam_connect sandbox -u reader")
    file.write_text("[prod]\nuser = reader\n[alone]\ntarget = sandbox\n")
    assert shell("%rds_iam_connect -s prod").error.cause == "target-empty", "not the connection that is held"
    assert shell("%rds_iam_connect -s alone").error.cause == "user-missing"
    assert shell("%rds_iam_connect -s alone --close sandbox").error is not None
    assert "prod, alone" in shell.ok("%rds_iam_connect --connections").output
