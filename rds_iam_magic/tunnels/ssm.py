"""`Ssm`: a tunnel by AWS Systems Manager, through an instance that reaches the database and needs no open port.

The user's own `aws` and its session-manager-plugin do it, with the credentials of the connection's boto3 session: its
profile, its role. They are in the programs' environment only, not on a command line, which others may see.
https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-sessions-start.html
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.aws.session import environment_of
from rds_iam_magic.errors import CredentialsError, OptionError, RdsIamError, TunnelError
from rds_iam_magic.tunnels.program import Start
from rds_iam_magic.tunnels.words import last_words, masking, said

_DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"
# An instance, `mi-…`, or `ecs:CLUSTER_TASK_RUNTIME`.
_TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,399}")
# The plugin chooses a free port itself, and says which.
_OPEN = re.compile(r"Port (\d+) opened for sessionId")
_CHATTER = re.compile(
    r"Starting session with |Port \d+ opened |Waiting for connections|Connection accepted for |Exiting session with "
    r"|Terminate signal received|Traceback |File \"| "
)
_REFUSED = re.compile(r"An error occurred \((\w+)\) when calling the (\w+) operation[^:]*: ?(.*)")

_BY_CODE = {  # AWS's code for the error → the cause, whether another attempt would be answered the same
    "AccessDeniedException": ("ssm-denied", True),
    "TargetNotConnected": ("ssm-not-connected", True),
    "InvalidInstanceId": ("ssm-not-connected", True),
    "InvalidDocument": ("ssm-document-missing", True),
    "ThrottlingException": ("aws-throttled", False),
    "InternalServerError": ("aws-fault", False),
}
_CREDENTIAL_CAUSES = {  # likewise, for the credentials
    "ExpiredTokenException": "credentials-expired",
    "ExpiredToken": "credentials-expired",
    "InvalidClientTokenId": "access-key-refused",
    "UnrecognizedClientException": "access-key-refused",
    "InvalidSignatureException": "access-key-refused",
}
_OTHERS = (  # what the programs say by themselves
    (re.compile("SessionManagerPlugin is not found"), "session-manager-plugin-missing", True),
    (
        re.compile("Could not connect to the endpoint URL|Connect timeout on endpoint|EndpointConnection"),
        "aws-unreachable",
        False,
    ),
)


@dataclass(frozen=True, slots=True)
class Ssm:
    """Which instance forwards.

    Attributes:
        target: The instance's id.
        session: The boto3 session whose credentials are used.
        profile: Its profile, if one was named: its other settings count, too.
    """

    target: str
    session: Any = field(repr=False)
    profile: str | None = None

    def __str__(self) -> str:
        return f"ssm {self.target}"

    def start(self, endpoint: Endpoint, timeout: float) -> Start:  # noqa: ARG002 - as `Ssh.start`
        """How `aws` is started for a tunnel to an endpoint.

        Raises:
            TunnelError: A program is missing.
            RdsIamError: There are no credentials.
        """
        program = shutil.which("aws")
        if program is None:
            raise TunnelError("There is no program aws on the PATH.", cause="aws-cli-missing")
        if shutil.which("session-manager-plugin") is None:
            raise TunnelError(
                "There is no program session-manager-plugin on the PATH.", cause="session-manager-plugin-missing"
            )
        keys = environment_of(self.session)
        command = [
            program,
            *("ssm", "start-session", "--region", endpoint.region, "--target", self.target),
            *("--document-name", _DOCUMENT),
            *("--parameters", json.dumps({"host": [endpoint.host], "portNumber": [str(endpoint.port)]})),
        ]
        return Start(command, _port, masking(keys.values()), _environment(keys, self.profile))

    def error(self, output: str) -> RdsIamError:
        """The error for a tunnel that was not opened, with AWS's or the programs' own words."""
        match = _REFUSED.search(output)
        if match is None:
            words = last_words(said(output, _CHATTER))
            found = ((cause, lasting) for pattern, cause, lasting in _OTHERS if pattern.search(output))
            cause, lasting = next(found, ("tunnel-failed", False))
        else:
            words = last_words([f"{match[1]}: {match[3]}"])
            if match[1] in _CREDENTIAL_CAUSES:
                cause = _CREDENTIAL_CAUSES[match[1]]
                return CredentialsError(f"{self} failed: {words}.", cause=cause)
            cause, lasting = _BY_CODE.get(match[1], ("tunnel-failed", True))
        return TunnelError(
            f"{self} failed: {words or 'it ended without a word'}.",
            cause=cause,
            facts={"instance": self.target},
            lasting=lasting,
        )

    def words(self, output: str) -> str:
        """What the programs have said last, such as that the database cannot be reached from the instance."""
        return last_words(said(output, _CHATTER), 1)


def read_ssm(text: str) -> str:
    """The id of an instance.

    Raises:
        OptionError: It is none.
    """
    text = text.strip()
    if not _TARGET.fullmatch(text):
        raise OptionError(f"{text!r} is not the id of an instance.", cause="ssm-target-invalid")
    return text


def _port(output: str) -> int | None:
    match = _OPEN.search(output)
    return int(match[1]) if match else None


_OWN_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


def _environment(keys: Mapping[str, str], profile: str | None) -> dict[str, str]:
    """This process' environment with the connection's credentials instead of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in (*_OWN_KEYS, "AWS_CREDENTIAL_EXPIRATION")}
    if profile is not None:
        kept["AWS_PROFILE"] = profile
    return {**kept, **keys, "AWS_PAGER": "", "AWS_CLI_AUTO_PROMPT": "off"}
