"""What programs print → what an error repeats."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.tunnels.words import last_words, masking, said

CHATTER = re.compile(r"debug\d:")


def test_the_last_lines_that_say_something():
    output = "one\r\ndebug1: no\n\n  two.\nthree.\ndebug2: no"
    lines = said(output, CHATTER)
    assert lines == ["one", "two.", "three."]
    assert last_words(lines) == "two. three"
    assert last_words(lines, 1) == "three"
    assert last_words([]) == ""


@given(st.lists(st.text()))
def test_it_is_one_line_and_not_long(lines):
    words = last_words(said("\n".join(lines), CHATTER))
    assert len(words.splitlines()) <= 1
    assert words.isprintable()
    assert len(words) <= 301


@given(st.text(), st.text("abcdef0123/+=", min_size=8, max_size=40), st.text())
def test_a_known_secret_is_never_repeated(before, secret, after):
    assert secret not in masking([secret, None, ""])(before + secret + after)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("AKIAIOSFODNN7EXAMPLE is bad", "… is bad"),
        ("with ASIAIOSFODNN7EXAMPLE.", "with …."),
        ('"TokenValue": "AAEAAd/x+y=="', '"TokenValue": "…"'),
        ("SessionToken=abc&x=1", "SessionToken=…&x=1"),
        ("?X-Amz-Signature=0123456789abcdef&b=1", "?X-Amz-Signature=…&b=1"),
        ("password: hunter2 was", "password: … was"),
        (f"got {'Fwo/Gz+' * 20}= here", "got … here"),
        ("The security token included in the request is expired", None),
        ("SHA256:5xVAQTxrGM4dLZjfXUd1dR3PNtFHTwQjvdXRwrpN+t8", None),
        ("Permission denied (publickey,password).", None),
        ("/home/a/.ssh/a-very-long-folder-name/and/another/one/id_ed25519: No such file", None),
    ],
)
def test_what_looks_like_a_secret(text, masked):
    assert masking([])(text) == (text if masked is None else masked)


@pytest.mark.parametrize("text", ["x" * 100_000, "token" * 20_000, "a " * 50_000, "token=" * 20_000, "=" * 100_000])
def test_it_takes_no_time(text):
    """Output is masked while it comes; a pattern that looks back at each character would take minutes."""
    began = time.process_time()
    masking(["s3cret"])(text)
    last_words(said(text, CHATTER))
    assert time.process_time() - began < 2
