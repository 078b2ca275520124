"""`connection`: the connection that the magics hold, for the cells' own Python. IPython is never imported for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rds_iam_magic.errors import NotConnectedError
from rds_iam_magic.hints import Interface

if TYPE_CHECKING:
    from rds_iam_magic.connection.connection import Connection


def connection(alias: str | None = None) -> Connection:
    """The connection that the magics hold: the same session, with its transaction and temporary tables.

    It stays the magics' own: `%rds_iam_connect --close` closes it.

    Args:
        alias: The connection's alias. Default: the current connection, which `%%rds_sql` uses without an alias.

    Raises:
        NotConnectedError: There is no such connection, or the magics are not loaded.

    Example:
        >>> orders = rds_iam_magic.connection().query("SELECT * FROM orders")
    """
    shell = _shell()
    if shell is None:
        raise NotConnectedError("IPython is not running here, so the magics hold no connection.")
    from rds_iam_magic.notebook.magics import magics_of

    magics = magics_of(shell)
    if magics is None:
        raise NotConnectedError(
            "The magics are not loaded, so they hold no connection.", "Run %load_ext rds_iam_magic, then connect."
        )
    try:
        return magics.held(alias)
    except NotConnectedError as error:
        error.interface = Interface.NOTEBOOK
        raise


def _shell() -> Any:
    """IPython's shell; None where there is none, such as in a script."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()
