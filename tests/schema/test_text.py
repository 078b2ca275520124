"""A text that a notebook shows with its line breaks."""

import pickle

from IPython.lib.pretty import pretty

from rds_iam_magic.schema.text import Text


def test_it_is_a_str_that_is_shown_as_it_is():
    text = Text("a\n  b 'c'")
    assert text == "a\n  b 'c'"
    assert pretty(text) == text
    assert Text("<b>\n$x$")._repr_html_().endswith(">&lt;b&gt;\n$x$</pre>")
    assert repr(text) == repr("a\n  b 'c'")
    assert type(pickle.loads(pickle.dumps(text))) is Text
