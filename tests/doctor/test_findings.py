"""A diagnosis shows itself: as text where it is printed, as a table in a notebook."""

import json
from dataclasses import replace

from IPython.lib.pretty import pretty

import rds_iam_magic
from tests.doctor.given import diagnosis


def test_it_is_shown_by_print_and_by_ipython():
    found = diagnosis()
    assert str(found).startswith("CERTAIN: The policy reports allows rds:connect")
    assert pretty(found) == str(found)
    assert found._repr_html_().startswith("<p")


def test_it_is_exported():
    assert isinstance(diagnosis(), rds_iam_magic.Diagnosis)


def test_json_says_what_the_dictionaries_say():
    assert json.loads(diagnosis().to_json()) == diagnosis().to_dict()


def test_two_are_equal_whatever_is_masked_in_them():
    assert diagnosis() == replace(diagnosis(), names=())
    assert "names" not in repr(diagnosis())
