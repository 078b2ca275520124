"""Sections: what is written is read again, what else is in the file stays, and only options are in it."""

import configparser
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.aws.endpoint import Destination
from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.errors import OptionError
from rds_iam_magic.hints import Interface
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.sections import (
    path_of_sections,
    read_section,
    section_names,
    values_of,
    with_section,
    write_section,
)


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    path = tmp_path / "folder" / "connections.ini"
    monkeypatch.setenv("RDS_IAM_MAGIC_CONNECTIONS", str(path))
    return path


def put(file, text):
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text.encode())


def fails(cause, words, function, *arguments):
    with pytest.raises(OptionError) as caught:
        function(*arguments)
    assert caught.value.cause == cause
    assert words in caught.value.message
    return caught.value


def test_where_the_file_is(monkeypatch, tmp_path, file):
    assert path_of_sections() == file
    monkeypatch.delenv("RDS_IAM_MAGIC_CONNECTIONS")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert path_of_sections() == tmp_path / ".config" / "rds_iam_magic" / "connections.ini"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert path_of_sections() == tmp_path / "xdg" / "rds_iam_magic" / "connections.ini"


def test_a_file_of_the_users_own(file):
    put(
        file,
        "\ufeff# mine\r\n; and this\r\n[prod]\r\n  Target : my-cluster\nuser=analyst\nport = 3307\nread-only = Yes\n"
        "autocommit = off\nconnect_timeout = 2.5\nssh = ana@bastion:22\nca = /a = b:c.pem\n\n[other]\nuser = x\n",
    )
    assert read_section("prod") == {
        "target": "my-cluster", "user": "analyst", "port": 3307, "read_only": True, "autocommit": False,
        "connect_timeout": 2.5, "ssh": "ana@bastion:22", "ca": "/a = b:c.pem",
    }  # fmt: skip
    assert read_section("other") == {"user": "x"}
    assert section_names() == ["prod", "other"]


@pytest.mark.parametrize(
    ("lines", "number", "cause", "words"),
    [
        ("user = a\npassword = hunter2", 3, "section-secret", "password may hold a secret"),
        ("aws_secret_access_key = hunter2", 2, "section-secret", "aws_secret_access_key may hold a secret"),
        ("token=hunter2", 2, "section-secret", "token may hold a secret"),
        ("target = mysql://a:hunter2@db/shop", 2, "section-secret", "target may hold a secret"),
        ("user = a:hunter2@db", 2, "section-secret", "user may hold a secret"),
        ("ssh = a:hunter2@bastion", 2, "section-secret", "ssh may hold a secret"),
        ("profile = x?X-Amz-Signature=hunter2", 2, "section-secret", "profile may hold a secret"),
        ("usr = a", 2, "section-invalid", "usr is not an option"),
        ("user = a\nuser = b", 3, "section-invalid", "user is given twice"),
        ("user =", 2, "section-invalid", "user is empty"),
        ("user", 2, "section-invalid", "neither [NAME] nor KEY = VALUE nor a comment"),
        ("= a", 2, "section-invalid", "neither"),
        ("port = x", 2, "section-invalid", "port is a whole number from 1 to 65535"),
        ("port = 65536", 2, "section-invalid", "port is a whole number from 1 to 65535"),
        ("timeout = 0", 2, "section-invalid", "timeout is a number greater than 0"),
        ("timeout = nan", 2, "section-invalid", "timeout is a number greater than 0"),
        ("wait = maybe", 2, "section-invalid", "wait is true or false"),
        ("compress = gzip", 2, "section-invalid", "compress is one of auto, zlib, zstd, off"),
        ("[prod]", 2, "section-invalid", "there is a section prod already"),
    ],
)
def test_what_is_refused(file, lines, number, cause, words):
    put(file, f"[prod]\n{lines}\n")
    error = fails(cause, words, read_section, "prod")
    assert error.message.startswith(f"{file}, line {number}: ")
    assert "hunter2" not in str(error)
    assert error.hint
    if words.startswith("usr"):
        assert error.hint == "Did you mean user?"


def test_a_section_that_is_not_there(file):
    error = fails("section-unknown", f"There is no section prod in {file}.", read_section, "prod")
    assert error.hint.startswith("Write [prod], then target")
    error.interface = Interface.NOTEBOOK
    assert error.hint == "Write one: %rds_iam_connect TARGET -u USER --save prod"
    put(file, "[prd]\nuser = a\n[test]\n")
    assert fails("section-unknown", "prod", read_section, "prod").hint == "Did you mean prd? There are: prd, test."


def test_a_file_that_cannot_be_read(file):
    file.parent.mkdir()
    file.write_bytes(b"\xff")
    fails("sections-unreadable", "it is not UTF-8", read_section, "prod")
    fails("sections-unreadable", "it is not UTF-8", write_section, "prod", {"user": "a"})
    assert section_names() == []
    file.unlink()
    file.mkdir()
    fails("sections-unreadable", "Is a directory", read_section, "prod")


def test_the_rest_of_the_file_stays(file):
    put(
        file,
        "# mine\n\n[a]\nuser = one\n\n[prod]\n# the cluster\ntarget = old\nssh = gone\n; whose\nUSER : old\n\n\n"
        "[z]\nuser = z\n",
    )
    assert write_section("prod", {"target": "new", "user": "ana", "read_only": True})
    assert file.read_text() == (
        "# mine\n\n[a]\nuser = one\n\n[prod]\n# the cluster\ntarget = new\n; whose\nuser = ana\nread_only = true\n\n\n"
        "[z]\nuser = z\n"
    )
    assert not write_section("new", {"user": "x", "connect_timeout": 30.0})
    assert file.read_text().endswith("[z]\nuser = z\n\n[new]\nuser = x\nconnect_timeout = 30\n")
    assert section_names() == ["a", "prod", "z", "new"]


def test_only_the_user_may_read_it(file):
    write_section("prod", {"user": "a"})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.chmod(0o644)
    write_section("prod", {"user": "b"})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["connections.ini"]


def test_a_link_stays_a_link(file, tmp_path):
    file.parent.mkdir()
    (tmp_path / "dotfiles.ini").write_text("# mine\n")
    file.symlink_to(tmp_path / "dotfiles.ini")
    write_section("prod", {"user": "a"})
    assert file.is_symlink()
    assert (tmp_path / "dotfiles.ini").read_text() == "# mine\n\n[prod]\nuser = a\n"


def test_a_file_that_cannot_be_written(file):
    put(file, "[prod]\nuser = a\n")
    for name, values, cause in (
        ("a b", {}, "section-name-invalid"),
        ("a]", {}, "section-name-invalid"),
        ("", {}, "section-name-invalid"),
        ("prod", {"user": "a\nb"}, "section-value-invalid"),
        ("prod", {"user": " a"}, "section-value-invalid"),
        ("prod", {"user": "\ud800"}, "section-value-invalid"),
        ("prod", {"target": "a:hunter2@db"}, "section-secret"),
    ):
        assert "hunter2" not in str(fails(cause, "", write_section, name, values))
    assert file.read_text() == "[prod]\nuser = a\n"


def test_what_is_no_regular_file_is_not_replaced(file):
    file.parent.mkdir()
    os.mkfifo(file)
    assert section_names() == []
    fails("sections-unwritable", "it is not a regular file", write_section, "prod", {"user": "a"})
    assert stat.S_ISFIFO(file.stat().st_mode)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_home_that_is_not_known(monkeypatch):
    monkeypatch.setenv("RDS_IAM_MAGIC_CONNECTIONS", "~nobody-has-this-name/connections.ini")
    fails("sections-unreadable", "the home directory", read_section, "prod")
    fails("sections-unreadable", "the home directory", write_section, "prod", {"user": "a"})
    assert section_names() == []


def test_several_kernels_save_at_once(file):
    names = [f"s{number}" for number in range(40)]
    with ThreadPoolExecutor(4) as writers:
        list(writers.map(lambda name: write_section(name, {"user": name}), names))
    assert sorted(section_names()) == sorted(names)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_folder_that_cannot_be_made(file):
    file.parent.write_text("a file")
    fails("sections-unreadable", "Not a directory", write_section, "prod", {"user": "a"})


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=12)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "target": st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True),
        "user": TEXT.filter(lambda text: ":" not in text),
        "port": st.integers(1, 65535),
        "profile": TEXT.filter(lambda text: ":" not in text),
        "time_zone": st.sampled_from(["+00:00", "Europe/Berlin"]),
        "connect_timeout": st.floats(0.01, 1e6).map(lambda number: float(f"{number:.15g}")),
        "compress": st.sampled_from(["zlib", "zstd", "off"]),
        "wait": st.just(True),
        "autocommit": st.booleans(),
    },
)


@given(st.dictionaries(st.from_regex(r"[a-z0-9_][a-z0-9_.-]{0,8}", fullmatch=True), VALUES, max_size=4), st.data())
def test_what_is_written_is_read(file, sections, data):
    put(file, "# first\n")
    for name, values in sections.items():
        write_section(name, data.draw(VALUES))
        assert write_section(name, values)
    assert {name: read_section(name) for name in sections} == sections
    assert section_names() == list(sections)
    assert file.read_text("utf-8").startswith("# first\n")
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    parser.read_string(file.read_text("utf-8"))
    theirs = {name: dict(parser[name]) for name in parser.sections()}
    assert {name: values.keys() for name, values in theirs.items()} == {n: v.keys() for n, v in sections.items()}
    for name, values in sections.items():
        assert {key: theirs[name][key] for key, value in values.items() if isinstance(value, str)} == {
            key: value for key, value in values.items() if isinstance(value, str)
        }


def test_each_option_can_be_kept():
    texts = {f.name: f"x-{f.name}" for f in fields(ConnectOptions) if f.default is None}
    options = ConnectOptions(**{**texts, "wait": True, "connect_timeout": 3.0, "compress": "zlib", "via": "h:1"})
    settings = SessionSettings(
        1.5, read_only=True, safe_updates=True, time_zone="+00:00", autocommit=False, close_idle=20.0
    )
    to = Destination("my-cluster", "ana", "shop", 3307)
    where = TargetOptions(reader=True)
    write_section("all", values_of(options, settings, to, where))
    nothing = ConnectOptions(), SessionSettings(), Destination(""), TargetOptions()
    assert with_section("all", *nothing) == (options, settings, to, where)


def test_a_stack_or_a_secret_can_be_kept_and_a_target_takes_its_place(file):
    """A secret's name is none."""
    nothing = ConnectOptions(), SessionSettings(), Destination("", "ana"), TargetOptions()
    for where in (TargetOptions(stack="team-db", endpoint="analytics"), TargetOptions(secret="sandbox/master")):
        write_section("prod", values_of(ConnectOptions(), SessionSettings(), Destination("", "ana"), where))
        assert with_section("prod", *nothing)[3] == where
        *_, to, left = with_section("prod", *nothing[:2], Destination("other", "ana"), TargetOptions(reader=True))
        assert (to.target, left) == ("other", TargetOptions(reader=True))
    assert file.exists()


def test_what_is_given_wins(file):
    put(file, "[prod]\ntarget = a\nuser = b\nvia = h:1\nread_only = true\nconnect_timeout = 5\nautocommit = true\n")

    def of(options=None, settings=None, to=None, **more):
        made = with_section(
            "prod",
            options or ConnectOptions(),
            settings or SessionSettings(),
            to or Destination(""),
            TargetOptions(),
            **more,
        )
        return values_of(*made)

    everything = of()
    assert everything == read_section("prod")
    assert of(to=Destination("c", "d")) == {**everything, "target": "c", "user": "d"}
    assert of(settings=SessionSettings(autocommit=False)) == {**everything, "autocommit": False}
    for way in ("ssh", "ssm"):
        without = {key: value for key, value in everything.items() if key != "via"}
        assert of(ConnectOptions(**{way: "x"})) == {**without, way: "x"}, "another way takes its place"
    assert "connect_timeout" not in of(given={"connect_timeout"}), "a default that is given, too"
