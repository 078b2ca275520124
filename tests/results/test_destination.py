"""Where results are written: whole under their name or not there; on a full disk, after errors, interrupts."""

import contextlib
import errno
import resource
import signal
from pathlib import Path

import pytest

from rds_iam_magic.errors import ResultError
from rds_iam_magic.results.export import FileDestination
from tests.support.batches import ENDINGS, SCHEMA, batch
from tests.support.injector import AlarmError, Injector, alarm, spread

pytestmark = pytest.mark.slow  # servers of their own, and files of many megabytes


def descriptors():
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            links.append(str(entry.readlink()))
    return links


@contextlib.contextmanager
def disk_of(size):
    """A file may not become larger than `size`: what a full disk is like, without one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 1_000, 500_000])
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("old", [None, b"before"])
def test_a_full_disk(tmp_path, capfd, ending, size, old):
    path = tmp_path / f"full.{ending}"
    if old is not None:
        path.write_bytes(old)
    target = FileDestination(str(path), overwrite=True)
    batches = (batch(seed=seed) for seed in range(3))
    with disk_of(size), pytest.raises(ResultError, match="File too large") as caught:
        target.write(SCHEMA, batches)
    assert "permissions" in caught.value.hint
    assert {entry: entry.read_bytes() for entry in tmp_path.iterdir()} == ({} if old is None else {path: old})
    assert not [link for link in descriptors() if str(tmp_path) in link]
    assert capfd.readouterr().err == "", "pyarrow complains there when its own files fail again"
    assert FileDestination(str(path), overwrite=True).write(SCHEMA, iter([batch(10)])) == 10


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_disk_that_is_full_at_the_last_byte(tmp_path, ending):
    """What fails is closing: all was in the file's buffer before."""
    target = FileDestination(str(tmp_path / f"full.{ending}"))
    with disk_of(100), pytest.raises(ResultError, match="File too large"):
        target.write(SCHEMA, iter([batch(50)]))
    assert list(tmp_path.iterdir()) == []
    assert not [link for link in descriptors() if str(tmp_path) in link]


def test_a_disk_that_is_full_leaves_the_connection(db, tmp_path):
    with disk_of(10_000), pytest.raises(ResultError, match="File too large"):
        db.write("SELECT seq, MD5(seq) FROM seq_1_to_500000", tmp_path / "x.csv")
    assert db.query("SELECT 1 AS a")["a"].tolist() == [1]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("x" * 300 + ".csv", "File name too long"),
        ("x" * 250 + ".csv", "File name too long"),  # the temporary name is longer
        ("file/x.csv", "does not exist"),
        ("nul\0.csv", "null"),
        ("~nobody-of-that-name/x.csv", "home directory"),
    ],
)
def test_a_file_that_cannot_be_opened(tmp_path, monkeypatch, path, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ResultError, match=words):
        FileDestination(path).write(SCHEMA, iter([batch(10)]))
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_goes_away(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()

    def batches():
        yield batch(10)
        for entry in folder.iterdir():
            entry.unlink()
        folder.rmdir()

    with pytest.raises(ResultError, match="No such file"):
        FileDestination(str(folder / "x.csv")).write(SCHEMA, batches())
    assert not [link for link in descriptors() if str(tmp_path) in link]


def test_a_file_that_comes_to_be_meanwhile_is_kept(tmp_path):
    path = tmp_path / "x.csv"

    def batches():
        yield batch(10)
        path.write_text("of another program")

    with pytest.raises(ResultError, match="already exists"):
        FileDestination(str(path)).write(SCHEMA, batches())
    assert path.read_text() == "of another program"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.csv"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.EIO, "of the rows"), ZeroDivisionError()])
@pytest.mark.parametrize("ending", ENDINGS)
def test_an_error_of_the_rows_comes_out_as_it_is(tmp_path, capfd, ending, error):
    def batches():
        yield batch()
        raise error

    with pytest.raises(type(error)) as caught:
        FileDestination(str(tmp_path / f"x.{ending}")).write(SCHEMA, batches())
    assert caught.value is error
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == ""


def test_what_a_signal_handler_raises_in_writing_comes_out(tmp_path):
    """It is an OSError, and it says nothing about the file, which is whole or not there."""
    path, batches = tmp_path / "x.csv", [batch(2_000), batch(2_000)]

    def write():
        FileDestination(str(path), overwrite=True).write(SCHEMA, iter(batches))

    write()
    whole = path.read_bytes()
    before = signal.signal(signal.SIGALRM, alarm)
    try:
        for line in spread(write, 25):
            path.unlink(missing_ok=True)
            with pytest.raises(AlarmError), Injector(line, AlarmError) as injector:
                write()
            files = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}
            assert files.items() <= {path.name: whole}.items(), injector.where
    finally:
        signal.signal(signal.SIGALRM, before)
