"""Servers that run side by side, and the way in for root."""

import threading
from contextlib import ExitStack
from pathlib import Path


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
            came = []

            def look():
                with server.root() as root:
                    root.execute("SELECT 1")
                    came.append(root.fetchone())

            waiting = threading.Thread(target=look)
            waiting.start()
            waiting.join(0.2)
            assert came == []
            last.close()
            waiting.join(30)
            assert came == [(1,)]
    finally:
        server.stop()
