"""Password-less SQL on Amazon RDS and Aurora, from a notebook or a script.

In a notebook: `%load_ext rds_iam_magic`, then `%rds_iam_connect --help`. In a script: `rds_iam_magic.connect(…)`.
Nothing heavy is imported before it is used.
"""

from __future__ import annotations

import sys
from types import ModuleType
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
    ProvisionError,
    RdsIamError,
    RdsIamWarning,
    RegionError,
    ResultError,
    StatementError,
    TargetError,
    TlsError,
    TrustStoreError,
    TunnelError,
    UnreachableError,
    UserSetupError,
)

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.connecting import connect
    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.doctor.diagnosing import diagnose
    from rds_iam_magic.doctor.findings import Diagnosis
    from rds_iam_magic.drivers.pymysql import pymysql_connect
    from rds_iam_magic.drivers.sqlalchemy import sqlalchemy_engine
    from rds_iam_magic.notebook.held import connection
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
    "Diagnosis",
    "NotConnectedError",
    "OptionError",
    "Partition",
    "ProtocolError",
    "ProvisionError",
    "RdsIamError",
    "RdsIamWarning",
    "RegionError",
    "ResultError",
    "StatementError",
    "TargetError",
    "TlsError",
    "TrustStoreError",
    "TunnelError",
    "UnreachableError",
    "UserSetupError",
    "connect",
    "connection",
    "diagnose",
    "load_ipython_extension",
    "pymysql_connect",
    "sqlalchemy_engine",
    "unload_ipython_extension",
]

_LATE = {
    "Connection": "rds_iam_magic.connection.connection",
    "Diagnosis": "rds_iam_magic.doctor.findings",
    "Partition": "rds_iam_magic.parallel.partition",
    "connect": "rds_iam_magic.connecting",
    "connection": "rds_iam_magic.notebook.held",
    "diagnose": "rds_iam_magic.doctor.diagnosing",
    "pymysql_connect": "rds_iam_magic.drivers.pymysql",
    "sqlalchemy_engine": "rds_iam_magic.drivers.sqlalchemy",
}


def __getattr__(name: str) -> Any:
    """Import the public names on first use: they bring pymysql and ssl with them."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATE[name]), name)


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """This package, whose `connection` stays the function though there is a room of that name.

    Python makes a submodule an attribute of its package when it is first imported. That room is reached by its full
    name only, `from rds_iam_magic.connection.… import …`, which needs no attribute.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name != "connection" or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """`%load_ext rds_iam_magic`: register the magics; no network, no file."""
    from rds_iam_magic.notebook.magics import load

    load(ipython)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """`%unload_ext rds_iam_magic`: close the held connections and take the magics away."""
    from rds_iam_magic.notebook.magics import unload

    unload(ipython)
