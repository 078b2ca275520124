"""Text that never shows itself (`Secret`), and the master user's secret in Secrets Manager (`MasterSecret`).

The two shapes of a secret's value are those of
https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html: the full one of the
rotation templates, and RDS's own with `username` and `password` only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from rds_iam_magic.aws.endpoint import checked_port
from rds_iam_magic.aws.session import aws_call, error_code
from rds_iam_magic.errors import AwsError, TargetError


class Secret:
    """A secret text. Its repr, str and format are fixed; it is neither pickled nor copied into a notebook.

    `reveal` is called in one place only: where the secret is sent, behind the TLS guard of `database/driver.py`.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")

    def reveal(self) -> bytes:
        """The text as UTF-8 bytes."""
        return self.__text.encode()


@dataclass(frozen=True, slots=True)
class MasterSecret:
    """What a master secret says; fields that it does not hold are None."""

    arn: str
    username: str
    password: Secret
    host: str | None = None
    port: int | None = None
    identifier: str | None = None


def read_master_secret(session: Any, secret_id: str) -> MasterSecret:
    """Read a master secret by its name or ARN.

    Raises:
        TargetError: No such secret, or its value is not the one of a database user.
        AwsError: Not permitted to read it.
    """
    with aws_call(f"reading the secret {secret_id}"):
        client = session.client("secretsmanager")
        try:
            answer = client.get_secret_value(SecretId=secret_id)
        except client.exceptions.ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                answer = None
            else:
                raise
    if answer is None:
        raise TargetError(
            f"There is no secret {secret_id!r} in {session.region_name}.",
            "Give its name or ARN; the database's page in the RDS console links to it (Configuration).",
        )
    found = _parse(answer)
    del answer  # a traceback shows the locals of this frame
    if found is None:
        raise AwsError(
            f"The secret {secret_id!r} is not one of a database user: it needs JSON with username and password.",
            "Give the master user's secret of the database.",
        )
    return found


def _parse(answer: dict[str, Any]) -> MasterSecret | None:
    """None for any other shape, rather than an error: its frames would hold the value."""
    try:
        value = json.loads(answer["SecretString"])
        return MasterSecret(
            arn=str(answer["ARN"]),
            username=str(value["username"]),
            password=Secret(str(value["password"])),
            host=value.get("host") or None,
            port=checked_port(str(value["port"])) if value.get("port") else None,
            identifier=value.get("dbClusterIdentifier") or value.get("dbInstanceIdentifier") or None,
        )
    except (KeyError, TypeError, ValueError, AttributeError, TargetError):
        return None
