"""Servers that run side by side."""

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
