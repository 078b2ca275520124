"""`Secret`, a string that is never shown, and `MasterSecret`, the master user's secret in Secrets Manager.

The value has one of the two forms of
https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html: the full one of the
rotation templates, or RDS's own with only `username` and `password`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.endpoint import checked_port
from rds_iam_magic.aws.failures import error_code
from rds_iam_magic.aws.session import client_of, region_of, require_text
from rds_iam_magic.errors import AwsError, TargetError


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


@dataclass(frozen=True, slots=True)
class MasterSecret:
    """The fields of a master secret; missing ones are None."""

    arn: str
    username: str
    password: Secret
    host: str | None = None
    port: int | None = None
    identifier: str | None = None


def read_master_secret(session: Any, secret_id: str) -> MasterSecret:
    """Read a master secret by its name or ARN.

    Raises:
        OptionError: The name is empty.
        TargetError: No such secret.
        AwsError: Reading it is not permitted, or its value is not a database user's.
    """
    require_text(secret_id, "The secret's name")
    with aws_call(f"reading the secret {secret_id}"):
        return _read(session, secret_id)


def _read(session: Any, secret_id: str) -> MasterSecret:
    """Read and parse inside the border: the locals of these frames contain the password."""
    client = client_of(session, "secretsmanager")
    try:
        answer = client.get_secret_value(SecretId=secret_id)
    except client.exceptions.ClientError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        raise TargetError(
            f"There is no secret {secret_id!r} in {region_of(session)}.",
            cause="secret-unknown",
        ) from None
    secret = _parse(answer)
    if secret is None:
        raise AwsError(
            f"The secret {secret_id!r} does not hold a database user: JSON with username and password.",
            cause="secret-malformed",
        )
    return secret


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
