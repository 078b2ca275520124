"""The picture of a specification, for what shows no Vega-Lite: GitHub, nbconvert, most viewers.

It takes `vl-convert-python`, which has Vega-Lite in it and asks nobody for anything; so the picture is the chart that a
browser draws, and nothing has to be drawn in two ways. Without it there is none: JupyterLab adds one itself when it
saves a chart that it has shown.
"""

from __future__ import annotations

from typing import Any

_VERSION = "5.8"  # about that of the oldest JupyterLab
_SCALE = 1.5  # pixels of the picture for each of the chart


def png_of(spec: dict[str, Any]) -> bytes | None:
    """The chart as PNG; None if `vl-convert-python` is not installed, or cannot draw it."""
    try:
        import vl_convert
    except ImportError:
        return None
    try:
        picture: bytes = vl_convert.vegalite_to_png(spec, vl_version=_VERSION, scale=_SCALE, allowed_base_urls=[])
    except ValueError:  # the chart is shown without one
        return None
    return picture
