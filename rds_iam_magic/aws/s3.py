"""`S3Object`: an object on S3 that is uploaded in parts and appears under its key only when it is complete.

A multipart upload does this: its parts are not listed, an existing object stays, and the last request assembles the new
one, at any size (a copy is limited to 5 GB). An upload that is not completed is aborted, since its invisible parts cost
money.
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
    """The size of a part by its number, from 1: kept in memory, small at first, and 5 TB within S3's 10,000 parts."""
    return _PART + max(0, number - _SMALL_PARTS) * _GROWTH


class S3Object:
    """An object to write: `open`, `write`…, then `commit` or `discard`.

    Args:
        address: `s3://BUCKET/KEY`; the key is used as written.
        session: The boto3 session; default: the environment's.

    Raises:
        OptionError: The address is not valid.
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
        """Whether an object with that key exists.

        Raises:
            ResultError: The bucket does not exist, or S3 cannot be asked.
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
        # On another thread: an interrupt between request and response would leave an upload whose id is unknown.
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
        """Append bytes, and upload each part that is full.

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
        """Assemble the object from its parts, replacing an existing one.

        Raises:
            ResultError: S3 refuses it; an existing object stays.
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
        """Abort an upload that was begun and not completed; return a sentence if that failed, else ""."""
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
        """The client; created and used only inside a border."""
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
    """Whether a HEAD request finds something; `unknown` is returned without permission to know."""
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
    """Run a request to its end on its own thread: an interrupt is delivered only afterwards."""
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
