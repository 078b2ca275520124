"""Each cause, made real in the sandbox, is told from the others; and what is printed mends it."""

from __future__ import annotations

import pytest

from rds_iam_magic import diagnose
from tests.doctor.ground import USER, Ground
from tests.doctor.matrix import LEVELS, ROWS

pytestmark = pytest.mark.slow  # servers
SECRET = "sandbox/master"


@pytest.fixture
def ground(inside, tmp_path, monkeypatch):
    yield from Ground(inside, tmp_path, monkeypatch).make()


def look(ground, level, options):
    asked = {"target": ground.host, "user": USER, "connect_timeout": 60, "notify": lambda _: None, **options}
    if level == "P2":
        asked["secret"] = SECRET
    with ground.permitted(*LEVELS[level]):
        return diagnose(**asked)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_cause(ground, row):
    with row.breaks(ground) as options:
        for level, expected in zip(LEVELS, row.expected, strict=True):
            diagnosis = look(ground, level, options)
            verdict = diagnosis.verdict
            assert verdict.certainty == expected, f"{level}:\n{diagnosis}"
            if expected in ("certain", "likely"):
                assert verdict.causes[0] == row.cause, f"{level}:\n{diagnosis}"
            elif expected == "one of":
                assert row.cause in verdict.causes, f"{level}:\n{diagnosis}"
    again = look(ground, "P2", {})
    assert again.verdict.certainty == "healthy", again
