"""After `pip install .` and with a kernel, the notebooks run, or say first what is missing.

An environment of its own would take a minute; instead the kernel finds nothing but the closure of those two.
"""

import os
import subprocess
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.slow  # servers and kernels

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
ALONE = {"rds-iam-magic", "ipykernel", "pip", "setuptools"}

BLOCK = """\
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

if "ipykernel_launcher" in " ".join(sys.orig_argv):
    sys.meta_path.insert(0, Nothing())
"""


def closure(names):
    """These distributions and what they depend on, without extras."""
    found, waiting = set(), list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        found.add(name)
        for line in distribution(name).requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


def missing():
    """What can be imported here and could not be there."""
    there = closure(ALONE)
    return {
        module
        for module, distributions in packages_distributions().items()
        if not there & {canonicalize_name(name) for name in distributions}
    }


def run(name, folder, blocked):
    """The notebook as its reader sees it, and its exit code; `blocked` cannot be imported in its kernel."""
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(BLOCK.format(missing=blocked))
    paths = [str(folder / "site"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "IPYTHONDIR": str(folder)}
    command = [sys.executable, NOTEBOOKS / "run.py", NOTEBOOKS / name, folder / "build"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=NOTEBOOKS.parent)
    return done, nbformat.read(folder / "build" / name, as_version=4)


@pytest.mark.slow
def test_what_is_missing_there():
    assert {"matplotlib", "moto", "hypothesis", "polars", "nbclient"} <= missing()
    assert not {"pandas", "pyarrow", "IPython", "ipykernel", "rds_iam_magic", "boto3"} & missing()


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("name", ["quickstart.ipynb", "access.ipynb"])
def test_without_anything_else(name, tmp_path):
    done, executed = run(name, tmp_path, missing())
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(cell.execution_count for cell in executed.cells if cell.cell_type == "code")


def test_denied_breaks_and_mends(inside, tmp_path):
    done, executed = run("denied.ipynb", tmp_path, missing())
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = [
        output.data["text/plain"].partition("\n")[0]
        for cell in executed.cells
        for output in cell.get("outputs", ())
        if cell.source.startswith("%rds_iam_doctor") and output.output_type == "execute_result"
    ]
    for verdict, words in zip(verdicts, DENIED, strict=True):
        assert words in verdict
    assert done.stdout.count("\nConnected. sandbox: newcomer@") == 5, "each is mended"
    assert done.stdout.count("\nnewcomer can log in with IAM.\n") == 2
    assert '-      "Resource": "arn:aws:rds-db:us-east-1:123456789012:dbuser:sandbox/newcomer"' in done.stdout
    assert "Dropped newcomer@%" in done.stdout.rpartition("## Tidying up")[2]
    assert inside.client("iam").list_user_policies(UserName="stranger")["PolicyNames"] == []


DENIED = (
    "CERTAIN: No policy of user/stranger allows rds-db:connect",
    "CERTAIN: In the policy rds-iam-connect, sandbox is an identifier",
    "CERTAIN: IAM authentication is off on sandbox.",
    "ONE OF SEVERAL: ",
    "CERTAIN: There is no database user newcomer.",
    "CERTAIN: The AWS credentials have expired.",
)


def test_denied_changes_nothing_in_an_account(inside, tmp_path):
    document = nbformat.read(NOTEBOOKS / "denied.ipynb", as_version=4)
    for before, after in (('"newcomer"', '"reader"'), ('"stranger"', '"inline"'), ('TARGET == "sandbox"', "False")):
        assert before in document.cells[1].source
        document.cells[1].source = document.cells[1].source.replace(before, after)
    nbformat.write(document, tmp_path / "denied.ipynb")
    accounts = "SELECT user, host, plugin FROM mysql.user ORDER BY 1, 2"
    with inside.server.root() as root:
        root.execute(accounts)
        before = root.fetchall()
        command = [sys.executable, NOTEBOOKS / "run.py", tmp_path / "denied.ipynb", tmp_path / "build"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        root.execute(accounts)
        assert root.fetchall() == before
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\nHEALTHY: ") == 6
    assert "Mending" not in done.stdout
    assert inside.client("iam").list_user_policies(UserName="inline")["PolicyNames"] == ["connect"]


@pytest.mark.usefixtures("inside")
def test_setup_says_first_what_is_missing(tmp_path):
    done, executed = run("setup.ipynb", tmp_path, missing())
    assert done.returncode == 1
    cells = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert [bool(cell.execution_count) for cell in cells] == [True] + [False] * (len(cells) - 1), "nothing is half done"
    assert "ImportError: The last step needs matplotlib: run %pip install matplotlib" in done.stdout


def test_setup_runs_with_that(inside, tmp_path):
    done, executed = run("setup.ipynb", tmp_path, missing() - closure_modules("matplotlib"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert any("image/png" in output.get("data", {}) for cell in executed.cells for output in cell.get("outputs", ()))
    assert "Connected. first: analyst@team-db.cluster-" in done.stdout
    assert "team-db is deleted. The snapshot team-db-" in done.stdout
    inside.client("iam").delete_user_policy(UserName="stranger", PolicyName="rds-iam-connect")
    with inside.server.root() as root:
        root.execute("DROP USER 'analyst'@'%'")


def closure_modules(name):
    """What can be imported after `pip install name`."""
    there = closure([name])
    return {
        module
        for module, distributions in packages_distributions().items()
        if there & {canonicalize_name(its) for its in distributions}
    }
