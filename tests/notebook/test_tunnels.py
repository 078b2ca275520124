"""`--ssm` and `--ssh` on the magics' lines, in a real shell and a real kernel."""

import os

import psutil
import pytest

from rds_iam_magic.errors import OptionError, TunnelError
from tests.notebook.test_kernel import outputs_of
from tests.support.events import LONG, wait_until
from tests.support.leaks import found_in
from tests.support.ssm import make_ssm
from tests.tunnels.conftest import of_tunnels

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture(autouse=True)
def ssm(inside, tmp_path, monkeypatch):
    """The stand-ins for SSM's programs, before a shell or a kernel starts."""
    folder = tmp_path / "ssm"
    folder.mkdir()
    made = make_ssm(folder, {f"{host}:3306": ("127.0.0.1", inside.server.port) for host in inside.hosts})
    monkeypatch.setenv("PATH", f"{made.bin}{os.pathsep}{os.environ['PATH']}")
    return made


def test_it_is_told_and_ended(shell):
    lines = shell.ok("%rds_iam_connect sandbox -u reader -d shop --ssm i-1").output.splitlines()
    assert lines[0] == "Note: RDS_IAM_MAGIC_VIA is set; it has no effect beside --ssm INSTANCE_ID."
    assert ":3306 · via ssm i-1 · MariaDB" in lines[1]
    assert shell.ok("%rds_sql SELECT COUNT(*) AS n FROM orders").value.loc[0, "n"] == 50000
    (guard,) = [process.pid for process in of_tunnels() if process.ppid() == os.getpid()]
    shell.ok("%rds_iam_connect sandbox -u reader --ssm i-1")
    assert guard not in [process.pid for process in of_tunnels()], (
        "the connection that was replaced took its tunnel along"
    )
    shell.ok("%rds_iam_connect -x sandbox")
    assert of_tunnels() == []
    shell.ok("%rds_iam_connect sandbox -u reader --ssm i-1")
    shell.ok("%unload_ext rds_iam_magic")
    assert of_tunnels() == []
    shell.ok("%load_ext rds_iam_magic")


def test_completion_reads_through_it(shell):
    shell.ok("%rds_iam_connect sandbox -u reader -d shop --ssm i-1")
    (filling,) = shell.ip._rds_iam_magics.completing._fillings.values()
    wait_until(lambda: not filling.working, "the catalog")
    assert "orders" in filling.catalog.schema("shop").tables
    shell.ok("%rds_iam_connect -x sandbox")
    filling.refresh()
    assert of_tunnels() == []


def test_the_other_magics_have_it_too(shell, inside):
    line = "%rds_iam_user create by_tunnel --secret sandbox/master --grant 'SELECT ON shop.*' --ssm i-1"
    assert "Created by_tunnel." in shell.ok(line).output
    assert of_tunnels() == []
    with inside.server.root() as root:
        root.execute("DROP USER 'by_tunnel'@'%'")


@pytest.mark.parametrize("mode", ["Plain", "Verbose"])
def test_an_error_shows_no_secret(shell, inside, mode):
    shell.ok(f"%xmode {mode}")
    key, secret = inside.keys["administrator"]
    for instance in ("i-leak", "i-off"):
        cell = shell(f"%rds_iam_connect sandbox -u reader --ssm {instance}")
        assert isinstance(cell.error, TunnelError)
        for text in (cell.output.partition("ssm ")[2], found_in(cell.error), shell("%tb").output):
            assert secret not in text
            assert key not in text
            assert "AAEAAcmFuZG9t" not in text


def test_what_is_refused(shell):
    cell = shell("%rds_iam_connect sandbox -u reader --ssm i-1 --via 127.0.0.1:1")
    assert isinstance(cell.error, OptionError)
    assert "Keep one of --via HOST:PORT, --ssm INSTANCE_ID and --ssh HOST." in cell.output
    cell = shell("%rds_iam_connect sandbox -u reader --ssh ana:hunter2@bastion")
    assert "hunter2" not in cell.output
    cell = shell("%rds_iam_connect sandbox -u reader --ssh=-oProxyCommand=x")
    assert cell.error.cause == "ssh-host-invalid"
    cell = shell("%rds_iam_connect sandbox -u reader --ssm i-slow --connect-timeout 1")
    assert "--connect-timeout SECONDS waits longer." in cell.output


def test_the_end_of_a_kernel_however_it_comes(kernel):
    manager, client = kernel
    shown = outputs_of(client, "%load_ext rds_iam_magic\n%rds_iam_connect sandbox -u reader --ssm i-1")
    assert "via ssm i-1" in shown
    left = psutil.Process(manager.provisioner.pid).children(recursive=True)
    assert len([process for process in left if "session-manager-plugin" in str(process.cmdline())]) == 1
    psutil.Process(manager.provisioner.pid).kill()
    assert psutil.wait_procs(left, LONG)[1] == []
