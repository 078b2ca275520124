"""docs/targets.md is generated: `make docs` writes it anew. Its magic lines can be typed."""

import re

import pytest

from rds_iam_magic.aws.targets.ways import WAYS
from rds_iam_magic.notebook import options
from rds_iam_magic.notebook.setup.lines import parse_policy, parse_user
from tests import write_targets

PARSERS = {"connect": options.parse_connect, "user": parse_user, "policy": parse_policy}


def test_the_page_is_current():
    page = write_targets.PATH.read_text(encoding="utf-8")
    assert page == write_targets.text(), "run make docs"
    assert len(re.findall(r"^\| ", page, re.MULTILINE)) == len(WAYS) + 1


@pytest.mark.parametrize(("magic", "line"), re.findall(r"^%rds_iam_(\w+) (.*)$", write_targets.text(), re.MULTILINE))
def test_its_lines_can_be_typed(magic, line):
    assert PARSERS[magic](line) is not None
