"""`CatalogFilling`: keeps a connection's catalog in memory, read in the background by a session of its own.

Why not the connection's own session, when it is idle: a query of ours would begin a snapshot in the user's transaction,
take the place of SHOW WARNINGS and FOUND_ROWS(), and make the next cell wait. A session of its own has none of that. It
costs a login with a fresh token, is limited to `LIMIT` seconds a query by the server itself, and is closed as soon as
the catalog is read, so that between the readings there is none, and an idle database can pause.

Nothing here raises or tells anything: without a catalog there is less to choose from, and that is all.
"""

from __future__ import annotations

import _thread
import os
import queue
import time
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from rds_iam_magic.schema.catalog.catalog import Catalog

if TYPE_CHECKING:
    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.mysql.session import ServerSession

LIMIT = 20.0
"""Seconds that the server may take for one query."""

_PATIENCE = LIMIT + 5
OLD = 600.0
"""Seconds after which a catalog is read again, once the user has used the database: others may have changed it."""


class CatalogFilling:
    """The catalog of one connection.

    Args:
        connection: It is asked for its login and its default schema, and never used.

    Attributes:
        catalog: What was read so far; any thread may look at it, at any time.
        asked: Whether it was ever asked to read.
    """

    def __init__(self, connection: Connection) -> None:
        self.catalog = Catalog()
        self.asked = False
        self._connection = connection
        self._orders: queue.SimpleQueue[Collection[str] | None] = queue.SimpleQueue()
        self._worker: dict[str, object] = {}  # who works; `setdefault` decides, whatever interrupts
        self._session: ServerSession | None = None
        self._pid = os.getpid()
        self._read_at = time.monotonic()
        self._stopped: list[bool] = []

    @property
    def working(self) -> bool:
        """Whether it is being read."""
        return bool(self._worker) or not self._orders.empty()

    @property
    def old(self) -> bool:
        """Whether it was read so long ago that others may have changed much."""
        return time.monotonic() - self._read_at > OLD

    def refresh(self, changed: Collection[str] | None = None) -> None:
        """Read in the background; at once returns.

        Args:
            changed: Words in lower case, among them the names of the tables that may have changed. Default: read all.
        """
        if self._stopped or self._pid != os.getpid():
            return
        self.asked = True
        self._read_at = time.monotonic()
        self._orders.put(changed)
        # No thread of `threading`: Python's end does not wait for it. One that is too many ends by itself.
        _thread.start_new_thread(self._work, ())

    def stop(self) -> None:
        """Read no more; a session that is open is ended. Does not wait; a second call does nothing."""
        self._stopped.append(True)
        session = self._session
        if session is not None and self._pid == os.getpid():
            session.abort()

    def _work(self) -> None:
        me = object()
        while not self._orders.empty() and self._worker.setdefault("", me) is me:
            try:
                changed = self._orders.get_nowait()
                while not self._orders.empty():  # several at once take one reading
                    more = self._orders.get_nowait()
                    changed = None if changed is None or more is None else {*changed, *more}
                if not self._stopped:
                    self._read(changed)
            except Exception:  # noqa: BLE001, S110 - nobody waits for it, and nobody could do anything
                pass
            finally:
                self._worker.clear()

    def _read(self, changed: Collection[str] | None) -> None:
        import rds_iam_magic.notebook.completion.completer  # noqa: F401 - here, so that the first one asked need not
        from rds_iam_magic.mysql.dial import Address
        from rds_iam_magic.mysql.own_queries import fetch_all
        from rds_iam_magic.mysql.session_settings import SessionSettings
        from rds_iam_magic.schema.catalog.reading import read_catalog

        login = replace(self._connection.login, database=None)
        address = None
        if login.tunnel is not None:
            near_end = login.tunnel.near_end
            if near_end is None:  # it would have to be opened, and nobody would end it after the connection's end
                return
            address = Address(*near_end)
        session = self._session = login.open(address=address)
        try:
            if self._stopped:  # looked at after the session is noted: `stop` does the two the other way round
                return
            mariadb = "mariadb" in session.server_version.lower()
            for statement in SessionSettings(timeout=LIMIT).statements(mariadb=mariadb).values():
                fetch_all(session, statement)
            database = self._connection.database
            for catalog in read_catalog(
                lambda sql: fetch_all(session, sql, timeout=_PATIENCE), self.catalog, database, changed
            ):
                if self._stopped:
                    return
                self.catalog = catalog
        finally:
            self._session = None
            session.close()
