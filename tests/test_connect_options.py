"""The options that take the target's place: one way to name the database, and one endpoint."""

import pytest

from rds_iam_magic.connect_options import TargetOptions, check_named
from rds_iam_magic.errors import OptionError


@pytest.mark.parametrize(
    ("target", "options", "words"),
    [
        ("sandbox", {"stack": "s"}, "by the target and by a stack"),
        ("sandbox", {"secret": "s"}, "by the target and by a secret"),
        ("", {"secret": "s"}, "by the target and by a secret"),
        (None, {"secret": "s", "stack": "s"}, "by a stack and by a secret"),
        ("sandbox", {"reader": True, "endpoint": "e"}, "reader endpoint and another one"),
        (None, {"stack": " "}, "The stack's name is empty"),
        (None, {"secret": ""}, "The secret's name is empty"),
        ("sandbox", {"endpoint": ""}, "The endpoint's name is empty"),
    ],
)
def test_two_names_are_refused(target, options, words):
    with pytest.raises(OptionError, match=words):
        check_named(target, TargetOptions(**options))


@pytest.mark.parametrize(
    ("target", "options"), [("sandbox", {}), (None, {"stack": "s"}), (None, {"secret": "s"}), ("x", {"reader": True})]
)
def test_one_name_will_do(target, options):
    where = TargetOptions(**options)
    check_named(target, where)
    assert where.names_database == (target is None)
