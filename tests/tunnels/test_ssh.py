"""`--ssh`: which hosts it takes, how ssh is started, and what ssh's words mean."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.errors import OptionError, RdsIamError, TunnelError
from rds_iam_magic.tunnels.ssh import Ssh, read_ssh

ENDPOINT = Endpoint("sales.cluster-abc.us-east-1.rds.amazonaws.com", "us-east-1", 3307)


@pytest.mark.parametrize(
    ("text", "ssh"),
    [
        ("bastion", Ssh("bastion")),
        (" bastion_prod ", Ssh("bastion_prod")),
        ("ec2-user@bastion.example.com:2222", Ssh("bastion.example.com", "ec2-user", 2222)),
        ("10.0.0.7", Ssh("10.0.0.7")),
        ("[2001:db8::1]:22", Ssh("2001:db8::1", None, 22)),
        ("a@[fe80::1%eth0]", Ssh("fe80::1%eth0", "a")),
        ("ana@corp.example@bastion", Ssh("bastion", "ana@corp.example")),
        ("CORP\\ana@bastion", Ssh("bastion", "CORP\\ana")),
    ],
)
def test_hosts(text, ssh):
    assert read_ssh(text) == ssh


@pytest.mark.parametrize(
    "text",
    [
        "-oProxyCommand=touch /tmp/x", "-bastion", "a@-bastion", "-l@bastion", "--", "bastion:0", "bastion:x", "a b",
        "bastion -v", "bastion;id", "$(id)", "`id`", "a'@b", "a|b@c", "@bastion", "a@", ":22", "b\nastion",
        "%h", "bastion/x", "ssh://bastion",
    ],
)  # fmt: skip
def test_what_is_no_host(text):
    with pytest.raises(OptionError) as caught:
        read_ssh(text)
    assert caught.value.cause in ("ssh-host-invalid", "login-as-target")


def test_a_password_is_not_repeated():
    with pytest.raises(OptionError) as caught:
        read_ssh("ana:hunter2@bastion")
    assert "hunter2" not in str(caught.value)


@given(st.text())
def test_nothing_is_an_option_of_ssh(text):
    try:
        ssh = read_ssh(text)
    except RdsIamError:
        return
    for word in (ssh.host, ssh.user or "x"):
        assert not word.startswith("-")
        assert not set(word) & set(" \t\r\n;|&`'\"<>(){}*?!#~\0")


@pytest.fixture
def program(tmp_path, monkeypatch):
    path = tmp_path / "ssh"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return str(path)


def test_how_it_is_started(program):
    start = Ssh("bastion", "ana", 2222).start(ENDPOINT, 9.5)
    assert start.command[0] == program
    assert start.command[-6:] == ["-p", "2222", "-l", "ana", "--", "bastion"]
    assert Ssh("bastion").start(ENDPOINT, 9.5).command[-2:] == ["--", "bastion"]
    options = [after for before, after in zip(start.command, start.command[1:], strict=False) if before == "-o"]
    assert {"BatchMode=yes", "ExitOnForwardFailure=yes", "ConnectTimeout=10", "ControlMaster=no"} <= set(options)
    assert "-N" in start.command
    forward = start.command[start.command.index("-L") + 1]
    address, port, rest = forward.split(":", 2)
    assert (address, rest) == ("127.0.0.1", f"{ENDPOINT.host}:3307")
    assert start.environment is os.environ
    assert start.port("debug1: Local forwarding listening on 127.0.0.1\n") is None
    assert start.port("x\ndebug1: Entering interactive session.\n") == int(port)


SAYS = [
    ("ana@b: Permission denied (publickey).", "ssh-denied", True),
    ("Received disconnect from 1.2.3.4 port 22:2: Too many authentication failures", "ssh-denied", True),
    ("No ED25519 host key is known for b.\nHost key verification failed.", "ssh-host-unknown", True),
    (
        "@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
        "ssh-host-changed",
        True,
    ),
    ("/home/a/.ssh/config: line 3: Bad configuration option: hots", "ssh-setup", True),
    ("Bad owner or permissions on /home/a/.ssh/config", "ssh-setup", True),
    ("bind [127.0.0.1]:4: Address already in use\nCould not request local forwarding.", "tunnel-port-taken", False),
    ("ssh: Could not resolve hostname b: Name or service not known", "ssh-unreachable", False),
    ("ssh: connect to host b port 22: Connection timed out", "ssh-unreachable", False),
    ("kex_exchange_identification: Connection closed by remote host", "ssh-unreachable", False),
    ("Something new", "tunnel-failed", False),
    ("", "tunnel-failed", False),
]


@pytest.mark.parametrize(("output", "cause", "lasting"), SAYS)
def test_what_it_says(output, cause, lasting):
    error = Ssh("b", "ana").error(
        f"OpenSSH_9.2p1\ndebug1: line 3: Applying options\n{output}\ndebug1: Exit status -1\n"
    )
    assert isinstance(error, TunnelError)
    assert (error.cause, error.lasting) == (cause, lasting)
    assert error.message.startswith("ssh ana@b failed: ")
    assert (output.splitlines() or ["it ended without a word"])[-1].rstrip(".") in error.message
    assert "debug" not in error.message
    assert error.hint


def test_the_hint_can_be_pasted_into_a_terminal():
    error = Ssh("b", "ana", 2222).error("Host key verification failed.")
    assert error.hint.endswith(": ssh -p 2222 ana@b")


def test_words_of_an_open_one():
    output = "debug1: channel 1\nchannel 1: open failed: connect failed: Connection refused\ndebug1: x"
    assert Ssh("b").words(output) == "channel 1: open failed: connect failed: Connection refused"
    assert Ssh("b").words('Authenticated to b ([1.2.3.4]:22) using "publickey".\ndebug1: x') == ""
