"""Servers that run side by side, and the way in for root."""

import socket
import threading
from contextlib import ExitStack
from pathlib import Path

from rds_iam_magic.sandbox import server
from tests.support.events import LONG, wait_until


def test_each_server_has_a_temporary_folder_of_its_own(sandbox):
    """One that starts deletes the temporary tables it finds: those of the others, were the folder shared."""
    second = sandbox.add_server()
    try:
        folders = []
        for server in (sandbox.server, second):
            with server.root() as root:
                root.execute("SELECT @@tmpdir")
                folders.append(Path(root.fetchone()[0]))
        assert folders == [sandbox.server.folder / "tmp", second.folder / "tmp"]
    finally:
        second.stop()


def test_a_port_that_is_taken_before_the_server_binds_to_it(sandbox, monkeypatch):
    free_port = server._free_port
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = iter([other.getsockname()[1]])
        monkeypatch.setattr(server, "_free_port", lambda: next(ports, None) or free_port())
        second = sandbox.add_server()
        try:
            assert second.port != other.getsockname()[1]
            with second.root() as root:
                root.execute("SELECT @@port")
                assert root.fetchone() == (second.port,)
        finally:
            second.stop()


def refusals(root):
    """How many connections the server has refused since all its places are taken."""
    root.execute("SHOW GLOBAL STATUS LIKE 'Connection_errors_max_connections'")
    return int(root.fetchone()[1])


def test_root_waits_for_its_place_on_a_full_server(sandbox):
    """As long as another session of root's has not ended."""
    server = sandbox.add_server()
    try:
        with ExitStack() as sessions:
            first = sessions.enter_context(server.root())
            first.execute("SET GLOBAL max_connections = 10")
            for _ in range(10):
                last = sessions.enter_context(ExitStack())
                last.enter_context(server.root())  # the eleventh has the place that is kept free
            rows = []

            def look():
                with server.root() as root:
                    root.execute("SELECT 1")
                    rows.append(root.fetchone())

            waiting = threading.Thread(target=look)
            waiting.start()
            wait_until(lambda: refusals(first) > 0, "root's being refused")
            assert rows == []
            last.close()
            waiting.join(LONG)
            assert rows == [(1,)]
    finally:
        server.stop()
