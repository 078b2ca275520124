"""What docs/highlighting.md says about nbconvert, by real runs: one option, or one file."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.notebook.highlighting import CONFIG, PAGE

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def notebook(tmp_path):
    code = nbformat.v4.new_code_cell
    sql = "%%rds_sql orders <<\nSELECT id, 'x' FROM `orders`"
    document = nbformat.v4.new_notebook(cells=[code(sql), code("import os"), code("%%rds_explain\nUPDATE t SET a = 1")])
    document.metadata.language_info = {"name": "python", "pygments_lexer": "ipython3"}
    nbformat.write(document, tmp_path / "notebook.ipynb")
    return tmp_path


def converted(folder, *options):
    """The HTML of the notebook in a folder, which has its own configuration and no other."""
    environment = {**os.environ, "HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder)}
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--template", "basic", *options, "notebook.ipynb"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(folder, "notebook.html").read_text("utf-8")


def keywords(html):
    return re.findall(r'<span class="k">([A-Z]+)</span>', html)


def test_the_option(notebook):
    (line,) = re.findall(r"^jupyter nbconvert .*$", PAGE, re.MULTILINE)
    (option,) = [word for word in shlex.split(line) if "Preprocessor" in word]
    html = converted(notebook, option)
    assert keywords(html) == ["SELECT", "FROM"]
    assert '<span class="kn">import</span>' in html


def test_the_file(notebook):
    (notebook / "jupyter_config.json").write_text(json.dumps(CONFIG))
    assert keywords(converted(notebook)) == ["SELECT", "FROM", "UPDATE", "SET"]
