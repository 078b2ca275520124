"""What JupyterLab reads of its extension before it runs it; what it does is tested in tests/browser."""

import hashlib
import json
from pathlib import Path

import rds_iam_magic

FOLDER = Path(rds_iam_magic.__file__).parent / "notebook" / "highlighting" / "labextensions" / "rds-iam-magic"


def test_a_browser_never_keeps_an_old_one():
    """Jupyter's server has browsers keep it for a year, by its address; so that has to change with what is in it."""
    digest = hashlib.sha256(FOLDER.joinpath("static", "remoteEntry.js").read_bytes()).hexdigest()[:12]
    described = json.loads(FOLDER.joinpath("package.json").read_text("utf-8"))
    assert described["jupyterlab"]["_build"]["load"] == f"static/remoteEntry.js?v={digest}"
    assert described["version"] == rds_iam_magic.__version__


def test_the_setting_is_the_one_that_is_read():
    script = FOLDER.joinpath("static", "remoteEntry.js").read_text("utf-8")
    schema = json.loads(FOLDER.joinpath("schemas", "rds-iam-magic", "plugin.json").read_text("utf-8"))
    assert list(schema["properties"]) == ["highlight"]
    assert "setting.get('highlight').composite" in script
