"""A plain shell with the extension, without a server: `asks("%rds_sql -|")` gives what is offered at the `|`."""

from types import SimpleNamespace

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


@pytest.fixture
def ip(keys, tmp_path):
    keys.setenv("RDS_IAM_MAGIC_CONNECTIONS", str(tmp_path / "connections.ini"))
    config = Config()
    config.HistoryManager.enabled = False
    config.IPCompleter.use_jedi = False  # whose first answer takes seconds
    return InteractiveShell(config=config, ipython_dir=str(tmp_path / "ipython"))


@pytest.fixture
def asks(ip):
    ip.run_line_magic("load_ext", "rds_iam_magic")

    def ask(cell):
        offset = cell.index("|")
        with provisionalcompleter():
            return [found.text for found in ip.Completer.completions(cell.replace("|", "", 1), offset)]

    yield ask
    ip.run_line_magic("unload_ext", "rds_iam_magic")


@pytest.fixture
def magics(ip, asks):
    """The shell's magics; what they hold as connections here has a name, and can be closed."""
    assert asks
    instance = ip._rds_iam_magics
    yield instance
    instance.connections.clear()


@pytest.fixture
def nobody():
    """What stands for a connection that is never asked anything."""
    return SimpleNamespace(close=lambda: None)
