"""What does not go together is refused before anything is read."""

import pytest

from rds_iam_magic.charts.options import COUNTED, KINDS, PlotOptions
from rds_iam_magic.errors import OptionError


def test_the_kinds():
    assert KINDS == ("line", "bar", "area", "scatter", "hist", "box", "heatmap")
    assert set(KINDS) > COUNTED


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (PlotOptions("hist", y=("a",)), "has no y"),
        (PlotOptions("heatmap", color="a"), "has no color"),
        (PlotOptions("scatter", y=("a", "b")), "has one y"),
        (PlotOptions("line", y=("a", "b"), color="c"), "Several y"),
    ],
)
def test_what_does_not_go_together(options, message):
    with pytest.raises(OptionError, match=message):
        options.check()
    PlotOptions(options.kind, x="a").check()
