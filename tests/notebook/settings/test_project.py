"""A project's settings: what its pyproject.toml may say, and that nothing in it stops `%load_ext`."""

import os

import pytest
from traitlets import Bool, Integer
from traitlets.config import Config, Configurable

from rds_iam_magic.notebook.magics import RdsIamMagics
from rds_iam_magic.notebook.settings.project import nearest, take_project_settings

FILE = "pyproject.toml"


class Settings(Configurable):
    """As `RdsIamMagics`, which takes a shell to be made."""

    max_memory, feedback, completion, autolimit = (
        getattr(RdsIamMagics, name) for name in ("max_memory", "feedback", "completion", "autolimit")
    )
    own = Bool(True).tag(config=True)
    quiet = Integer(1).tag(project=True)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/nowhere")
    return tmp_path


def taken(config=None):
    notes = []
    settings = Settings(config=config or Config())
    take_project_settings(settings, notes.append)
    return settings, notes


def test_what_a_project_may_set(folder):
    (folder / FILE).write_text(
        '[tool.rds_iam_magic]\nfeedback = 1\nmax-memory = "4 GB"\nautolimit = 1000\ncompletion = false\n'
    )
    settings, notes = taken()
    assert (settings.feedback, settings.max_memory, settings.autolimit, settings.completion) == (1, "4 GB", 1000, False)
    assert notes == [
        f"settings of this project ({folder / FILE}): feedback = 1, max_memory = '4 GB', autolimit = 1000, "
        "completion = False."
    ]


def test_the_users_own_comes_first(folder):
    (folder / FILE).write_text("[tool.rds_iam_magic]\nfeedback = 1\nautolimit = 5")
    config = Config()
    config.Settings.feedback = 0
    settings, notes = taken(config)
    assert (settings.feedback, settings.autolimit) == (0, 5)
    assert "feedback" not in notes[0]
    (folder / FILE).write_text("[tool.rds_iam_magic]\nfeedback = 'x'")
    assert taken(config)[1] == []


def test_the_nearest_file_counts(folder, monkeypatch):
    (folder / FILE).write_text("[tool.rds_iam_magic]\nfeedback = 1")
    (folder / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(folder / "a" / "b")
    assert taken()[0].feedback == 1
    (folder / "a" / FILE).write_text("[project]\nname = 'x'")
    assert (taken()[0].feedback, taken()[1]) == (2, []), "another project, without settings"
    monkeypatch.setenv("HOME", str(folder))
    (folder / "a" / FILE).write_text("[tool.rds_iam_magic]\nfeedback = 0")
    assert taken()[1] == ["settings of this project (~/a/pyproject.toml): feedback = 0."]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("feedbak = 1", "feedbak is no setting; did you mean feedback?"),
        ("zzz = 1", "there are autolimit, completion, feedback, max_memory"),
        ('"a b\\u001b[2J" = 1', "a name is no setting"),
        ("feedback = 7", "feedback = 7 is not valid; %config Settings says what is"),
        ("feedback = '1'", "feedback = '1' is not valid"),
        ("feedback = true", "feedback = True is not valid"),
        ("completion = 1", "completion = 1 is not valid"),
        ("autolimit = -1", "autolimit = -1 is not valid"),
        ("autolimit = 2.5", "autolimit = 2.5 is not valid"),
        ("max_memory = '4 gigs'", "max_memory = '4 gigs' is not valid"),
        ("max_memory = true", "max_memory = True is not valid"),
        ("max_memory = [1]", "max_memory = [1] is not valid"),
        ("max_memory = -5.0", "max_memory = -5.0 is not valid"),
        ("own = false", "own is the user's own to set"),
        ("quiet = 5", "quiet is no setting"),
        ("section = 'prod'", "section is an option of a login, which no project decides"),
        ("target = 'evil.example.com'", "target is an option of a login"),
        ("ca = 'x.pem'", "ca is an option of a login"),
        ("via = 'evil:3306'", "via is an option of a login"),
        ("ssh = 'evil'", "ssh is an option of a login"),
        ("profile = 'admin'", "profile is an option of a login"),
        ("read_only = false", "read_only is an option of a login"),
    ],
)
def test_what_is_left_out_and_told(folder, text, words):
    (folder / FILE).write_text(f"[tool.rds_iam_magic]\n{text}\n")
    settings, notes = taken()
    assert [words in note for note in notes] == [True]
    assert "evil" not in notes[0]
    assert notes[0].isprintable()
    fresh = Settings()
    assert {name: getattr(settings, name) for name in settings.traits()} == {
        name: getattr(fresh, name) if name != "config" else settings.config for name in settings.traits()
    }


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[a]\nb = 1\n[tool.rds_iam_magic]\nfeedback = x\n", "is not valid TOML (line 4); nothing was taken from it."),
        (b"[tool.rds_iam_magic]\nfeedback = '\xe9'", "is not UTF-8"),
        (b"[tool.rds_iam_magic]\nx = " + b"[" * 1900, "is not valid TOML"),
        (b"[tool.rds_iam_magic]\nautolimit = 0x" + b"F" * 6000, "has over 2,000 bytes in [tool.rds_iam_magic]"),
        (b"[tool.rds_iam_magic]\nfeedback = 7" + b"\nk = 1" * 1000, "has over 2,000 bytes in [tool.rds_iam_magic]"),
        (b"rds_iam_magic = " + b"[" * 100_000, ""),
        (b"[tool.rds-iam-magic.x]\ny = 1\n# [tool.rds_iam_magic]\nfeedback = 1", ""),
        (b"tool = 1 # rds_iam_magic", ""),
        (b"\x00\xff", ""),
        (b"[tool.rds_iam_magic]\nfeedback = 1\n#" + b" " * 1_000_000, ""),
    ],
)
def test_what_is_no_such_file(folder, data, words):
    (folder / FILE).write_bytes(data)
    settings, notes = taken()
    assert settings.feedback == 2
    assert [words in note for note in notes] == [True] * bool(words)


def test_what_else_is_in_the_file_is_not_parsed(folder):
    """To tomllib a key of 200,000 parts is 160 GB of memory, which would be the kernel's."""
    (folder / FILE).write_text("wrong =\n[tool.rds-iam-magic]\nfeedback = 1\n[wrong\n")
    settings, notes = taken()
    assert (settings.feedback, len(notes)) == (1, 1)


def test_names_and_values_are_shown_as_one_short_line(folder, monkeypatch):
    strange = folder / "r\x1b[2J\nNote: \udcff"
    strange.mkdir()
    monkeypatch.chdir(strange)
    (strange / FILE).write_text(f"[tool.rds_iam_magic]\nmax_memory = '4{' ' * 1000}GB'\nautolimit = 0x{'F' * 800}")
    notes = taken()[1]
    assert (len(notes), notes[0].isprintable(), len(notes[0]) < 400) == (1, True, True)


def test_what_is_no_regular_file(folder):
    (folder / FILE).mkdir()
    assert nearest() is None or nearest().parent != folder
    (folder / FILE).rmdir()
    os.mkfifo(folder / FILE)
    assert taken()[1] == [], "nobody waits for what comes through it"


def test_a_folder_that_is_gone(folder, monkeypatch):
    (folder / "gone").mkdir()
    monkeypatch.chdir(folder / "gone")
    (folder / "gone").rmdir()
    assert (nearest(), taken()[1]) == (None, [])


def test_each_setting_is_thought_about():
    """Nothing that a project may set says where a login, a token or a file goes."""
    assert set(RdsIamMagics.class_own_traits(config=True, project=True)) <= {
        "autolimit", "completion", "feedback", "highlight", "max_memory",
    }  # fmt: skip


@pytest.mark.slow  # a kernel's shell
def test_in_a_shell(connected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / FILE).write_text("[tool.rds_iam_magic]\nautolimit = 3\nwrong = 1\n")
    connected.ok("%unload_ext rds_iam_magic")
    cell = connected.ok("%load_ext rds_iam_magic")
    assert "Note: settings of this project (" in cell.output
    assert "wrong is no setting" in cell.output
    assert connected.ok("%load_ext rds_iam_magic").output.count("settings of") == 0
    connected.ok("%rds_iam_connect sandbox -u reader -d shop")
    cell = connected.ok("%rds_sql SELECT * FROM products")
    assert len(cell.value) == 3
    assert "cut at the limit of 3 rows" in cell.output
    assert "that limit is RdsIamMagics.autolimit; --limit N reads more rows." in cell.output
    cell = connected.ok("%rds_sql --limit 5 SELECT * FROM products")
    assert len(cell.value) == 5
    assert "autolimit" not in cell.output
    assert "24 rows written" in connected.ok("%rds_sql --to all.csv SELECT * FROM products").output
    connected.ok("%config RdsIamMagics.autolimit = 0")
    assert len(connected.ok("%rds_sql SELECT * FROM products").value) == 24
