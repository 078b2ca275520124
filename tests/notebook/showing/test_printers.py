"""IPython's printers for single objects, with IPython's own formatters."""

import gc

import pandas as pd
from IPython.core.formatters import DisplayFormatter

from rds_iam_magic.notebook.showing.printers import ObjectPrinters


def printed(display, value):
    return display.format(value)[0]


def of_text_and_html():
    display = DisplayFormatter()
    return display, ObjectPrinters(display.formatters["text/plain"], display.formatters["text/html"])


def add(printers, value, text):
    printers.add(value, lambda _, printer, __: printer.text(text), lambda _: f"<b>{text}</b>")


def test_this_object_alone_is_printed_so():
    display, printers = of_text_and_html()
    frame = pd.DataFrame({"a": [1]})
    usual = printed(display, frame)
    add(printers, frame, "whole")
    assert printed(display, frame) == {"text/plain": "whole", "text/html": "<b>whole</b>"}
    assert printed(display, frame.copy()) == usual


def test_the_last_printers_count():
    display, printers = of_text_and_html()
    frame = pd.DataFrame({"a": [1]})
    add(printers, frame, "first")
    add(printers, frame, "second")
    assert printed(display, frame)["text/plain"] == "second"


def test_all_are_as_usual_when_cleared():
    display, printers = of_text_and_html()
    frame, other = pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})
    usual = printed(display, frame), printed(display, other)
    add(printers, frame, "whole")
    add(printers, other, "whole")
    printers.clear()
    assert (printed(display, frame), printed(display, other)) == usual
    printers.clear()


def test_what_is_gone_leaves_nothing():
    """Another object may get its address."""
    display, printers = of_text_and_html()
    before = registered(display)
    frame = pd.DataFrame({"a": [1]})
    add(printers, frame, "whole")
    assert registered(display) != before
    del frame
    gc.collect()
    assert registered(display) == before


def registered(display):
    return {name: dict(formatter.singleton_printers) for name, formatter in display.formatters.items()}
