"""What is shipped: the exported names, and the wheel in a clean environment."""

import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import rds_iam_magic
from rds_iam_magic import errors
from rds_iam_magic.errors import StatementError
from tests.support.environments import make_environment

ROOT = Path(__file__).parents[1]


def test_exported_names():
    assert rds_iam_magic.__all__ == sorted(rds_iam_magic.__all__)
    for name in rds_iam_magic.__all__:
        assert getattr(rds_iam_magic, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        rds_iam_magic.conect  # noqa: B018 - the access is the test


def test_one_base_for_every_error():
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, Warning)
    ]
    assert all(issubclass(kind, rds_iam_magic.RdsIamError) for kind in kinds)
    assert all(f" {kind.__name__} " in f" {errors.__doc__} ".replace("\n", " ") for kind in kinds)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from this tree."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT], check=True, capture_output=True
    )
    (built,) = folder.glob("*.whl")
    return built


def test_errors_cross_processes():
    error = StatementError("What.", "Next.", code=1064, position=2)
    back = pickle.loads(pickle.dumps(error))
    assert (str(back), back.code, back.position) == (str(error), 1064, 2)


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "rds_iam_magic",
        f"rds_iam_magic-{rds_iam_magic.__version__}.data",
        f"rds_iam_magic-{rds_iam_magic.__version__}.dist-info",
    }
    assert "rds_iam_magic/py.typed" in names
    assert "rds_iam_magic/sandbox/plugin.c" in names
    for engine in ("aurora", "mysql"):
        assert f"rds_iam_magic/setup/templates/{engine}.yaml" in names


def test_the_wheel_has_the_extension_where_jupyterlab_looks(wheel):
    source = ROOT / "rds_iam_magic" / "notebook" / "highlighting" / "labextensions"
    place = f"rds_iam_magic-{rds_iam_magic.__version__}.data/data/share/jupyter/labextensions"
    with zipfile.ZipFile(wheel) as archive:
        data = {name: archive.read(name) for name in archive.namelist() if ".data/" in name and name[-1] != "/"}
    paths = [path for path in source.rglob("*") if path.is_file()]
    assert data == {f"{place}/{path.relative_to(source).as_posix()}": path.read_bytes() for path in paths}
    described = json.loads(data[f"{place}/rds-iam-magic/package.json"])
    assert f"{place}/rds-iam-magic/{described['jupyterlab']['_build']['load'].partition('?')[0]}" in data
    assert f"{place}/rds-iam-magic/{described['jupyterlab']['schemaDir']}/rds-iam-magic/plugin.json" in data


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("inside")
def test_the_wheel_works_in_a_clean_environment(wheel, tmp_path):
    """Installed without extras and without this tree, it connects and queries."""
    python = make_environment(tmp_path / "venv", wheel)
    script = (
        "import rds_iam_magic\n"
        "with rds_iam_magic.connect('sandbox', user='reader', database='shop') as db:\n"
        "    print(rds_iam_magic.__file__, db.query('SELECT COUNT(*) AS n FROM orders').loc[0, 'n'])\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # it may name this tree
    done = subprocess.run(
        [python, "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    path, rows = done.stdout.split()
    assert path.startswith(str(tmp_path))
    assert (tmp_path / "venv/share/jupyter/labextensions/rds-iam-magic/package.json").is_file()
    assert rows == "50000"
