"""The options that take the target's place: one way to name the database, and one endpoint. And options to copy."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from IPython.utils.text import DollarFormatter

from rds_iam_magic.aws.endpoint import is_login
from rds_iam_magic.connect_options import (
    ConnectOptions,
    TargetOptions,
    as_arguments,
    as_ipython_reads,
    as_line,
    check_named,
)
from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammars import CONNECT
from rds_iam_magic.notebook.options import parse_line


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


OPTIONS = ConnectOptions(profile="a b", via="127.0.0.1:3307", connect_timeout=7.5, wait=True, compress="zlib")
WHERE = TargetOptions(reader=True)


def test_options_as_a_line_and_as_arguments():
    given = ("prod", "it's", "sales", 3307, OPTIONS, WHERE)
    assert as_line(*given) == (
        "prod -u 'it'\"'\"'s' -d sales -p 3307 --reader --profile 'a b' --via 127.0.0.1:3307 --wait "
        "--connect-timeout 7.5 --compress zlib"
    )
    assert as_arguments(*given) == (
        "'prod', user=\"it's\", database='sales', port=3307, reader=True, profile='a b', via='127.0.0.1:3307', "
        "wait=True, connect_timeout=7.5, compress='zlib'"
    )
    assert as_line(None, "a", None, None, ConnectOptions(), TargetOptions(stack="s")) == "-u a --stack s"


@given(
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), min_size=1),
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1).filter(lambda text: text.strip()),
)
@example("$a", "{x}")
@example("a$$b.c", "$ {} }")
@example("-u", "--profile")
@example("0", "$0")
@example("a'$a", "$$a}'$a'{$a")
def test_a_line_says_what_was_given_even_where_ipython_fills_in_variables(user, profile):
    assume(not is_login(user))
    line = as_line("prod", user, None, None, ConnectOptions(profile=profile), TargetOptions())
    names = {"a": 1, "x": 2, **dict.fromkeys((user, profile), 3)}
    parsed = parse_line(CONNECT, DollarFormatter().format(line, **{k: v for k, v in names.items() if k.isidentifier()}))
    assert (parsed.words, parsed.get("user"), parsed.get("profile")) == (["prod"], user, profile)
    assert DollarFormatter().format(line) == as_ipython_reads(line)
