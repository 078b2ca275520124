"""`S3Object`: an object on S3 that is written in parts and is there, under its name, only when all of it is.

A multipart upload is S3's own way to do this: its parts are in no listing, what the name held before stays, and the
last request makes the new object of them, at any size (a copy would end at 5 GB). An upload that is not completed is
aborted, since its parts cost money unseen.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.failures import error_code
from rds_iam_magic.aws.session import client_of, open_session
from rds_iam_magic.errors import AwsError, CredentialsError, OptionError, RegionError, ResultError

MAX_PARTS = 10_000  # S3's own limit
_PART = 8 << 20
_SMALL_PARTS = 1_000
_GROWTH = 160 << 10


def part_size(number: int) -> int:
    """Bytes of a part, counted from 1: what is kept in memory, small at first, and 5 TB within S3's 10,000 parts."""
    return _PART + max(0, number - _SMALL_PARTS) * _GROWTH


class S3Object:
    """An object to be written: `open`, `write`…, then `commit` or `discard`.

    Args:
        address: `s3://BUCKET/KEY`; the key is taken as it is written.
        session: Whose credentials are used; those of the environment by default.

    Raises:
        OptionError: The address has another form.
    """

    def __init__(self, address: str, session: Any = None) -> None:
        self._address = address
        bucket, _, key = address.partition("://")[2].partition("/")
        if not bucket or not key:
            raise OptionError(f"{address!r} names no object on S3.", cause="file-address-invalid")
        self._place = {"Bucket": bucket, "Key": key}
        self._session = session
        self._kept: Any = None
        self._upload: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._buffer = bytearray()

    def exists(self) -> bool:
        """Whether there is an object of that name.

        Raises:
            ResultError: There is no such bucket, or it cannot be found out.
        """
        return bool(self._run("looking whether it is there", self._is_there))

    def _is_there(self) -> bool:
        client = self._client()
        if _succeeds(client, lambda: client.head_object(**self._place)):
            return True
        if not _succeeds(client, lambda: client.head_bucket(Bucket=self._place["Bucket"]), unknown=True):
            raise self._no_bucket()
        return False

    def open(self) -> None:
        """Begin the upload.

        Raises:
            ResultError: S3 refuses it.
        """
        self._buffer, self._parts = bytearray(), []
        # Not in this thread: an interrupt between the request and its answer would leave an upload that nobody knows.
        _apart(lambda: self._run("writing it", self._create))

    def _create(self) -> None:
        client = self._client()
        try:
            self._upload = client.create_multipart_upload(**self._place)["UploadId"]
        except client.exceptions.ClientError as error:
            if error_code(error) == "NoSuchBucket":
                raise self._no_bucket() from None
            raise

    def write(self, data: bytes) -> int:
        """Take bytes, and send each part that is full.

        Raises:
            ResultError: S3 refuses them.
        """
        rest = memoryview(data)
        while rest:
            size = part_size(len(self._parts) + 1)
            space = size - len(self._buffer)
            self._buffer += rest[:space]
            rest = rest[space:]
            if len(self._buffer) == size:
                self._send()
        return len(data)

    def _send(self) -> None:
        body, self._buffer = self._buffer, bytearray()
        self._run("writing it", lambda: self._upload_part(body))

    def _upload_part(self, body: bytearray) -> None:
        number = len(self._parts) + 1
        answer = self._client().upload_part(**self._place, UploadId=self._upload, PartNumber=number, Body=body)
        checks = {name: value for name, value in answer.items() if name.startswith("Checksum") and name[8:].isupper()}
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"], **checks})

    def commit(self) -> None:
        """Make the object of the parts, which replaces what was there.

        Raises:
            ResultError: S3 refuses it; what was there stays.
        """
        if self._buffer or not self._parts:  # an upload has at least one part; the last may be small
            self._send()
        _apart(lambda: self._run("writing it", self._complete))

    def _complete(self) -> None:
        self._client().complete_multipart_upload(
            **self._place, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
        )
        self._upload = None

    def discard(self) -> str:
        """Abort the upload, if one has begun and was not completed; a sentence if that failed, or ""."""
        self._buffer = bytearray()
        try:
            if self._upload is not None:
                _apart(lambda: self._run("aborting the upload", self._abort))
        except (AwsError, ResultError) as error:
            return (
                f"the unfinished upload to {self._address} could not be aborted ({error.message}) Its parts are "
                "invisible and cost storage until a lifecycle rule or aws s3api abort-multipart-upload removes them."
            )
        finally:
            if self._kept is not None:
                self._kept.close()
                self._kept = None
        return ""

    def _abort(self) -> None:
        client = self._client()
        try:
            client.abort_multipart_upload(**self._place, UploadId=self._upload)
        except client.exceptions.ClientError as error:
            if error_code(error) != "NoSuchUpload":  # it was completed, or aborted, by a request without an answer
                raise
        self._upload = None

    def _client(self) -> Any:
        """The one client; made, and used, inside of a border only."""
        if self._kept is None:
            if self._session is None:
                self._session = open_session()
            self._kept = client_of(self._session, "s3")
        return self._kept

    def _run(self, doing: str, work: Callable[[], Any]) -> Any:
        try:
            with aws_call(doing):
                return work()
        except (CredentialsError, RegionError):
            raise
        except AwsError as error:
            failure = ResultError(
                f"{self._address} cannot be written: {error.message}",
                detail=error.detail,
                cause=error.cause,
                facts=error.facts,
            )
        raise failure

    def _no_bucket(self) -> ResultError:
        return ResultError(
            f"{self._address} cannot be written: there is no bucket {self._place['Bucket']}.",
            cause="bucket-unknown",
        )


def _succeeds(client: Any, work: Callable[[], Any], *, unknown: bool | None = None) -> bool:
    """Whether a HEAD request finds something; `unknown` is the answer where that is not permitted to be known."""
    try:
        work()
    except client.exceptions.ClientError as error:
        if error_code(error) in ("404", "NoSuchKey", "NoSuchBucket", "NotFound"):
            return False
        if unknown is None:
            raise
        return unknown
    return True


def _apart(work: Callable[[], Any]) -> None:
    """Run a request in a thread of its own, to its end: an interrupt waits for that, and comes after it."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            failures.append(error)

    thread = threading.Thread(target=run, name="rds_iam_magic-s3", daemon=True)
    try:
        thread.start()
        thread.join()
    except BaseException:
        thread.join()
        raise
    if failures:
        failure = failures.pop()
        raise failure.with_traceback(None)
