"""The picture of a chart, where `vl-convert-python` is installed; without it there is none."""

import subprocess
import sys

import pytest

from rds_iam_magic.charts.picture import png_of

SCRIPT = """
import pandas as pd
from rds_iam_magic.charts.drawing import draw
from rds_iam_magic.charts.fields import table_of
from rds_iam_magic.charts.options import KINDS, PlotOptions
from rds_iam_magic.charts.picture import png_of
from rds_iam_magic.charts.vegalite import spec_of

frame = pd.DataFrame({"c": pd.Series(["a", "b"], dtype="str"), "n": [1, 2], "m": [2.5, 1.5]})
for kind in KINDS:
    png = png_of(spec_of(draw(table_of(frame), PlotOptions(kind))))
    assert png.startswith(b"\\x89PNG") and len(png) > 2000, kind
    evil = frame.rename(columns={"c": 'a"b', "n": "a\\\\"})
    assert png_of(spec_of(draw(table_of(evil), PlotOptions(kind)))), kind
assert png_of({"mark": "no such mark"}) is None
"""


def test_without_the_library_there_is_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert png_of({}) is None


@pytest.mark.slow
def test_a_picture_of_each_kind():
    """In a process of its own: what the library has opened stays until its end."""
    pytest.importorskip("vl_convert", reason="the extra `plot` is not installed")
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
