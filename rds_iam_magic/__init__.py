"""Password-less SQL on Amazon RDS and Aurora, from a notebook or a script.

In a notebook: `%load_ext rds_iam_magic`, then `%rds_iam_connect --help`. In a script: `rds_iam_magic.connect(…)`.
Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rds_iam_magic.errors import (
    AccessDeniedError,
    AwsError,
    ConnectError,
    ConnectionLostError,
    CredentialsError,
    DecodeError,
    NotConnectedError,
    OptionError,
    ProtocolError,
    RdsIamError,
    RdsIamWarning,
    RegionError,
    ResultError,
    StatementError,
    TargetError,
    TlsError,
    TrustStoreError,
    UnreachableError,
    UserSetupError,
)

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.connecting import connect
    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.parallel.partition import Partition

__version__ = "0.1.0"

__all__ = [
    "AccessDeniedError",
    "AwsError",
    "ConnectError",
    "Connection",
    "ConnectionLostError",
    "CredentialsError",
    "DecodeError",
    "NotConnectedError",
    "OptionError",
    "Partition",
    "ProtocolError",
    "RdsIamError",
    "RdsIamWarning",
    "RegionError",
    "ResultError",
    "StatementError",
    "TargetError",
    "TlsError",
    "TrustStoreError",
    "UnreachableError",
    "UserSetupError",
    "connect",
    "load_ipython_extension",
    "unload_ipython_extension",
]

_LATE = {
    "Connection": "rds_iam_magic.connection.connection",
    "Partition": "rds_iam_magic.parallel.partition",
    "connect": "rds_iam_magic.connecting",
}


def __getattr__(name: str) -> Any:
    """Import the public names on first use: they bring pymysql and ssl with them."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATE[name]), name)


def __dir__() -> list[str]:
    return __all__


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """`%load_ext rds_iam_magic`: register the magics; no network, no file."""
    from rds_iam_magic.notebook.magics import load

    load(ipython)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """`%unload_ext rds_iam_magic`: close the held connections and take the magics away."""
    from rds_iam_magic.notebook.magics import unload

    unload(ipython)
