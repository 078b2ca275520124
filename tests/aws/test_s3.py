"""Results on S3: an object is there whole or not at all, and no upload is left pending."""

import contextlib
import errno
import urllib.request
from pathlib import Path

import botocore
import pytest
import urllib3

import rds_iam_magic
from rds_iam_magic.aws import s3
from rds_iam_magic.errors import OptionError, ResultError, StatementError
from rds_iam_magic.results.export import FileDestination
from tests.support.batches import ENDINGS, SCHEMA, batch
from tests.support.injector import PACKAGE, Injector, spread

pytestmark = pytest.mark.slow  # files of many megabytes


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

        def delete(self, key):
            client.delete_object(Bucket="files", Key=key)

    bucket = Bucket()
    yield bucket
    assert bucket.pending() == [], "an upload that nobody completes costs money unseen"
    for key in list(bucket.keys()):
        bucket.delete(key)
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
    with pytest.raises(StatementError, match="1690"):  # out of range at row 7,098
        db.write("SELECT seq, REPEAT('x', 1000), EXP(seq / 10) FROM seq_1_to_10000", f"{bucket.url}/x.csv")
    assert bucket.keys() == []


# An interrupt within urllib3 leaves its connection to Python, which closes it with a warning; descriptors are counted.
@pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning")
def test_interrupts_at_any_moment_leave_all_or_nothing(db, bucket):
    within = (PACKAGE, str(Path(botocore.__file__).parent), str(Path(urllib3.__file__).parent))

    def write():
        db.write("SELECT seq, SHA2(seq, 512) AS t FROM seq_1_to_70000", f"{bucket.url}/x.csv", overwrite=True)

    interrupted = complete = 0
    for line in spread(write, 25, within):
        if bucket.keys():
            bucket.delete("x.csv")
        with contextlib.suppress(KeyboardInterrupt), Injector(line, KeyboardInterrupt, within=within) as injector:
            write()
        interrupted += injector.injected
        assert bucket.pending() == [], injector.where
        if bucket.keys():
            complete += 1
            assert bucket.read("x.csv").count(b"\n") == 70_001, injector.where
    assert interrupted > 20
    assert complete > 0, "behind the end of the upload, too"
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
