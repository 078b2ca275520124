"""Where results are written: whole under their name or not there; on a full disk, on S3, after errors, interrupts."""

import _thread
import contextlib
import errno
import gzip
import random
import resource
import signal
import threading
import time
import urllib.request
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

import rds_iam_magic
from rds_iam_magic.aws import s3
from rds_iam_magic.errors import OptionError, ResultError, StatementError
from rds_iam_magic.results.export import FileDestination

pytestmark = pytest.mark.slow  # servers of their own, and files of many megabytes


ENDINGS = ["parquet", "arrow", "csv", "csv.gz"]
SCHEMA = pa.schema([("n", pa.int64()), ("t", pa.string())])


def batch(rows=20_000, seed=0):
    """Some megabytes that do not compress."""
    chance = random.Random(seed)
    return pa.RecordBatch.from_arrays(
        [pa.array(range(rows)), pa.array([chance.randbytes(100).hex() for _ in range(rows)])], schema=SCHEMA
    )


def descriptors():
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            links.append(str(entry.readlink()))
    return links


# Here


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
    assert "right to write" in caught.value.hint
    assert [entry.name for entry in tmp_path.iterdir()] == ([] if old is None else [path.name])
    assert old is None or path.read_bytes() == old
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


def _on_alarm(*_):
    raise TimeoutError("of the user's")


def test_what_a_signal_handler_raises_in_writing_comes_out(tmp_path):
    """It is an OSError, and it says nothing about the file."""

    def batches():
        while True:
            yield batch(2_000)

    before = signal.signal(signal.SIGALRM, _on_alarm)
    try:
        for delay in (0.01, 0.05, 0.1, 0.2):
            signal.setitimer(signal.ITIMER_REAL, delay)
            with pytest.raises(TimeoutError, match="of the user's"):
                FileDestination(str(tmp_path / "x.csv")).write(SCHEMA, batches())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert list(tmp_path.iterdir()) == []


def test_compressed_files_are_the_same_each_time(tmp_path):
    for name in ("a.csv.gz", "b.csv.gz"):
        FileDestination(str(tmp_path / name)).write(SCHEMA, iter([batch(100)]))
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).count(b"\n") == 101


# On S3


@pytest.fixture
def bucket(inside):
    """A bucket of its own, and what is in it."""
    client = inside.client("s3")
    client.create_bucket(Bucket="files")

    class Bucket:
        url = "s3://files"

        def keys(self):
            return [entry["Key"] for entry in client.list_objects_v2(Bucket="files").get("Contents", [])]

        def pending(self):
            return client.list_multipart_uploads(Bucket="files").get("Uploads", [])

        def read(self, key):
            return client.get_object(Bucket="files", Key=key)["Body"].read()

        def put(self, key, data):
            client.put_object(Bucket="files", Key=key, Body=data)

    bucket = Bucket()
    yield bucket
    assert bucket.pending() == [], "an upload that nobody completes costs money unseen"
    for key in list(bucket.keys()):
        client.delete_object(Bucket="files", Key=key)
    client.delete_bucket(Bucket="files")
    client.close()


@contextlib.contextmanager
def permissions_of(inside):
    """moto asks IAM, as AWS does."""

    def from_the_request(count):
        url = f"{inside.environment['AWS_ENDPOINT_URL']}/moto-api/reset-auth"
        plain = {"Content-Type": "text/plain"}  # it would be read as a form else
        urllib.request.urlopen(urllib.request.Request(url, count, plain, method="POST")).close()

    from_the_request(b"0")
    try:
        yield
    finally:
        from_the_request(b"inf")


@pytest.mark.parametrize("ending", ENDINGS)
def test_several_parts(bucket, tmp_path, ending, monkeypatch):
    sent = []
    send = s3.S3Object._upload_part
    monkeypatch.setattr(s3.S3Object, "_upload_part", lambda self, body: (sent.append(len(body)), send(self, body)))
    rows = FileDestination(f"{bucket.url}/a/b.{ending}").write(SCHEMA, (batch(seed=seed) for seed in range(10)))
    assert rows == 200_000
    assert len(sent) > 2
    assert set(sent[:-1]) == {8 << 20}
    assert bucket.keys() == [f"a/b.{ending}"]
    FileDestination(str(tmp_path / f"b.{ending}")).write(SCHEMA, (batch(seed=seed) for seed in range(10)))
    assert bucket.read(f"a/b.{ending}") == (tmp_path / f"b.{ending}").read_bytes()


def test_parts_reach_what_s3_can_hold():
    sizes = [s3.part_size(number) for number in range(1, s3.MAX_PARTS + 1)]
    assert sum(sizes) > 5 << 40
    assert max(sizes) < 5 << 30
    assert set(sizes[:1000]) == {8 << 20}, "8 GB before more than that is kept in memory"


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_empty_result(bucket, ending):
    assert FileDestination(f"{bucket.url}/empty.{ending}").write(SCHEMA, iter([])) == 0
    assert len(bucket.read(f"empty.{ending}")) > 5


def test_the_old_one_stays_until_the_new_one_is_complete(bucket):
    bucket.put("x.csv", b"before")
    target = FileDestination(f"{bucket.url}/x.csv", overwrite=True)

    def batches():
        for seed in range(5):
            yield batch(seed=seed)
            assert bucket.read("x.csv") == b"before"
            assert bucket.keys() == ["x.csv"]
        assert len(bucket.pending()) == 1

    assert target.write(SCHEMA, batches()) == 100_000
    assert bucket.read("x.csv").startswith(b'"n","t"')


@pytest.mark.parametrize("after", [0, 1, 5])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("ending", ENDINGS)
def test_an_error_leaves_nothing_on_s3(bucket, capfd, ending, error, after):
    bucket.put(f"x.{ending}", b"before")

    def batches():
        for seed in range(after):
            yield batch(seed=seed)
        raise error

    with pytest.raises(error):
        FileDestination(f"{bucket.url}/x.{ending}", overwrite=True).write(SCHEMA, batches())
    assert bucket.read(f"x.{ending}") == b"before"
    assert bucket.keys() == [f"x.{ending}"]
    assert bucket.pending() == []
    assert capfd.readouterr().err == ""


def test_a_statement_that_fails_in_the_midst(db, bucket):
    with pytest.raises(StatementError):
        db.write("SELECT * FROM nowhere", f"{bucket.url}/x.csv")
    db.execute("SET max_statement_time = 0.3")
    with pytest.raises(StatementError, match="1969"):
        db.write("SELECT seq, REPEAT('x', 1000), SLEEP(0.001) FROM seq_1_to_100000", f"{bucket.url}/x.csv")
    assert bucket.keys() == []


# An interrupt within urllib3 leaves its connection to Python, which closes it with a warning; descriptors are counted.
@pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning")
def test_interrupts_at_any_moment_leave_all_or_nothing(db, bucket):
    chance = random.Random(9)
    whole = interrupted = 0
    for _ in range(25):
        timer = threading.Timer(chance.uniform(0, 0.25), _thread.interrupt_main)
        try:
            timer.start()
            db.write("SELECT seq, SHA2(seq, 512) AS t FROM seq_1_to_70000", f"{bucket.url}/x.csv", overwrite=True)
        except KeyboardInterrupt:
            interrupted += 1
        while timer.ident is not None and not timer.finished.is_set():
            with contextlib.suppress(KeyboardInterrupt):
                time.sleep(0.001)
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(0.001)  # one that came late
        assert bucket.pending() == []
        if bucket.keys():
            whole += 1
            assert bucket.read("x.csv").count(b"\n") == 70_001
    assert interrupted > 5
    assert db.query("SELECT 1 AS a")["a"].tolist() == [1]


def test_an_object_that_comes_to_be_meanwhile_is_kept(bucket):
    def batches():
        yield batch(10)
        bucket.put("x.csv", b"of another program")

    with pytest.raises(ResultError, match="already exists"):
        FileDestination(f"{bucket.url}/x.csv").write(SCHEMA, batches())
    assert bucket.read("x.csv") == b"of another program"


@pytest.mark.parametrize(
    "key", ["a b.csv", "a%20b.csv", "a?b=c.csv", "a#b.csv", "日本/ü.csv", "/x.csv", "a//b.csv", "a+b.csv"]
)
def test_keys_are_taken_as_they_are(bucket, key):
    FileDestination(f"{bucket.url}/{key}").write(SCHEMA, iter([batch(10)]))
    assert bucket.keys() == [key]
    with pytest.raises(ResultError, match="already exists"):
        FileDestination(f"S3://files/{key}")


@pytest.mark.parametrize("address", ["s3://x.csv", "s3:///x.csv", "s3://.csv"])
def test_addresses_that_name_no_object(address):
    with pytest.raises(OptionError, match="s3://BUCKET/KEY"):
        FileDestination(address)


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_bucket_that_is_missing(db, overwrite):
    with pytest.raises(ResultError, match="cannot be written: there is no bucket no-such-bucket"):
        db.write("SELECT 1 AS a", "s3://no-such-bucket/x.csv", overwrite=overwrite)


@pytest.mark.usefixtures("inside")
def test_a_bucket_of_an_impossible_name():
    with pytest.raises(ResultError, match="cannot be written: The AWS request cannot be sent"):
        FileDestination("s3://No Such Bucket/x.csv")


def test_it_is_written_as_the_connections_own_identity(inside, bucket):
    """`--profile` and `--role-arn` of the connection count for `--to s3://` too."""
    with (
        permissions_of(inside),
        rds_iam_magic.connect(inside.endpoint, user="reader", profile="inline") as denied,
        rds_iam_magic.connect(inside.endpoint, user="reader", profile="administrator") as permitted,
    ):
        for overwrite in (False, True):
            with pytest.raises(ResultError, match=r"cannot be written: AWS does not permit .*\((AccessDenied|403)\)"):
                denied.write("SELECT 1 AS a", f"{bucket.url}/x.csv", overwrite=overwrite)
        assert denied.query("SELECT 1 AS a")["a"].tolist() == [1]
        assert permitted.write("SELECT 1 AS a", f"{bucket.url}/x.csv") == 1
    assert bucket.keys() == ["x.csv"]


def test_an_upload_that_cannot_be_aborted_is_told(inside, bucket, monkeypatch):
    """The endpoint goes away in the midst: the error is the one of writing, and what is left behind is told."""
    told = []
    client = inside.client("s3")
    target = FileDestination(f"{bucket.url}/x.csv", notify=told.append)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    def batches():
        yield batch(10)
        target._place._kept.close()
        target._place._kept.meta.events.register("before-send.s3.*", _refuse)
        yield from (batch(seed=seed) for seed in range(5))

    with pytest.raises(ResultError, match="cannot be written"):
        target.write(SCHEMA, batches())
    (note,) = told
    assert "could not be aborted" in note
    assert "abort-multipart-upload" in note
    for upload in bucket.pending():
        client.abort_multipart_upload(Bucket="files", Key=upload["Key"], UploadId=upload["UploadId"])
    client.close()


def _refuse(**_):
    raise ConnectionResetError(errno.ECONNRESET, "the network is gone")
