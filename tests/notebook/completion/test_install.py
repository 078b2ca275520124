"""Our completions before IPython's, and gone without a trace."""

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from rds_iam_magic.notebook.completion.install import install
from rds_iam_magic.notebook.completion.suggestion import Suggestion, Suggestions


@pytest.fixture
def ip():
    config = Config()
    config.HistoryManager.enabled = False
    config.IPCompleter.use_jedi = False  # whose first answer takes seconds
    return InteractiveShell(config=config)


def asked(ip, text):
    with provisionalcompleter():
        return [(c.start, c.end, c.text, c.type) for c in ip.Completer.completions(text, len(text))]


def ours(text, offset):
    return Suggestions(offset - 1, [Suggestion("mine", "column")]) if text.startswith("!") else None


def test_ours_alone_in_our_cells_and_pythons_elsewhere(ip):
    python = asked(ip, "pri")
    undo = install(ip, ours)
    assert asked(ip, "!x") == [(1, 2, "mine", "column")]
    assert asked(ip, "pri") == python != []
    undo()
    assert "completions" not in vars(ip.Completer)
    assert all(text != "mine" for _, _, text, _ in asked(ip, "!x"))


def test_another_extensions_completions_stay(ip):
    undo = install(ip, ours)
    before = ip.Completer.completions
    theirs = ip.Completer.completions = lambda text, offset: before(text, offset)
    undo()
    assert ip.Completer.completions is theirs
    assert all(text != "mine" for _, _, text, _ in asked(ip, "!x"))


def test_what_was_there_before_comes_back(ip):
    def theirs(text, offset):  # noqa: ARG001 - as IPython's
        yield from ()

    ip.Completer.completions = theirs
    install(ip, ours)()
    assert ip.Completer.completions is theirs
