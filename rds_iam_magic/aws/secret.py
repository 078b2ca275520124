"""`Secret`, a string that is never shown, and `MasterSecret`, the master user's secret in Secrets Manager.

The value has one of the two forms of
https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html: the full one of the
rotation templates, or RDS's own with only `username` and `password`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import unquote

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.endpoint import checked_port
from rds_iam_magic.aws.failures import error_code, is_denial
from rds_iam_magic.aws.session import client_of, part_of, region_of, require_text
from rds_iam_magic.errors import AwsError, TargetError

_LONG = 16
"""Characters of a value that is looked for in a text; in a token, shorter ones tell nothing."""


class Secret:
    """A secret string. Its repr, str and format are fixed; it cannot be pickled.

    `reveal` is called in only one place: where the secret is sent, behind the TLS guard of `mysql/driver.py`.

    Raises:
        ValueError: The string cannot be encoded as UTF-8; the message does not quote it. Create it only inside a border
            (`border.py`), since this frame contains the string.
    """

    __slots__ = ("__data",)

    def __init__(self, text: str) -> None:
        try:
            self.__data = text.encode()
            return
        except UnicodeEncodeError:
            pass  # the original error contains the string
        raise ValueError("a secret text is not UTF-8")

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")

    def reveal(self) -> bytes:
        """The secret as UTF-8 bytes."""
        return self.__data

    def hidden_in(self, text: str) -> str:
        """A text without the secret, and without the longer values of its query, should somebody repeat them."""
        whole = self.__data.decode()
        values = [part.partition("=")[2] for part in whole.split("&")]
        for hidden in (whole, *values, *map(unquote, values)):
            text = text.replace(hidden, "…") if len(hidden) >= _LONG else text
        return text


@dataclass(frozen=True, slots=True)
class MasterSecret:
    """The fields of a master secret; missing ones are None. `is_cluster`: whether the identifier is a cluster's."""

    arn: str
    username: str
    password: Secret
    host: str | None = None
    port: int | None = None
    identifier: str | None = None
    is_cluster: bool = False
    database: str | None = None

    @property
    def region(self) -> str | None:
        """The region that it is in, by its ARN."""
        return region_in(self.arn)


def read_master_secret(session: Any, secret_id: str) -> MasterSecret:
    """Read a master secret by its name, in the session's region, or by its ARN, in the ARN's.

    Raises:
        OptionError: The name is empty.
        TargetError: No such secret; or it is marked for deletion, or has no value.
        AwsError: Reading or decrypting it is not permitted, or its value is not a database user's.
    """
    require_text(secret_id, "The secret's name")
    secret_id = secret_id.strip()
    with aws_call(f"reading the secret {secret_id}"):
        return _read(session, secret_id)


def _read(session: Any, secret_id: str) -> MasterSecret:
    """Read and parse inside the border: the locals of these frames contain the password."""
    region = region_in(secret_id) or region_of(session)
    client = client_of(session, "secretsmanager", region_name=region)
    try:
        answer = client.get_secret_value(SecretId=secret_id)
    except client.exceptions.ClientError as error:
        problem = _problem(error, secret_id, region)
        if problem is None:
            raise
        raise problem from None
    part_of(answer, "ARN")
    secret = _parse(answer)
    if secret is None:
        raise AwsError(
            f"The secret {secret_id!r} does not hold a database user: JSON with username and password.",
            cause="secret-malformed",
        )
    return secret


def region_in(arn: str) -> str | None:
    """The region in an ARN of Secrets Manager; None for a secret's name."""
    parts = arn.split(":")
    is_arn = len(parts) > 3 and parts[0] == "arn" and parts[2] == "secretsmanager"
    return parts[3] or None if is_arn else None


def _problem(error: Exception, secret_id: str, region: str) -> AwsError | None:
    """Why there is no value to read, as far as the secret itself is the reason.

    Secrets Manager has one code for two of these each, so that its message decides.
    """
    code = error_code(error)
    words = str(getattr(error, "response", {}).get("Error", {}).get("Message", ""))
    if code == "ResourceNotFoundException":
        if "secret value" in words:
            return TargetError(f"The secret {secret_id!r} has no value.", cause="secret-empty")
        return TargetError(f"There is no secret {secret_id!r} in {region}.", cause="secret-unknown")
    if code == "InvalidRequestException" and re.search(r"marked (for deletion|deleted)", words):
        return TargetError(f"The secret {secret_id!r} is marked for deletion.", cause="secret-deleted")
    if code == "DecryptionFailure" or (is_denial(error) and re.search(r"Access to KMS|perform: kms:", words)):
        return AwsError(
            f"The secret {secret_id!r} cannot be decrypted with its KMS key ({code}).", cause="secret-key-unusable"
        )
    return None


def _parse(answer: dict[str, Any]) -> MasterSecret | None:
    """Parse the response; None if it has another form."""
    try:
        value = json.loads(answer["SecretString"])
        return MasterSecret(
            arn=str(answer["ARN"]),
            username=_text(value["username"]),
            password=Secret(_text(value["password"])),
            host=_text(value["host"]) if value.get("host") else None,
            port=checked_port(str(value["port"])) if value.get("port") else None,
            identifier=next((_text(value[name]) for name in _IDENTIFIERS if value.get(name)), None),
            is_cluster=bool(value.get(_IDENTIFIERS[0])),
            database=_text(value["dbname"]) if value.get("dbname") else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, MemoryError, TargetError):
        return None


_IDENTIFIERS = ("dbClusterIdentifier", "dbInstanceIdentifier")


def _text(value: object) -> str:
    """A field as a string; some tools write a password of digits as a number.

    Raises:
        TypeError: It is a list, an object, or null.
        ValueError: It is not valid Unicode.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TypeError("not a text")
    text = str(value)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("not a Unicode text")
    return text
