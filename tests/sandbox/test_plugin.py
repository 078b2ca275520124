"""Building the plugin: what it takes on the machine."""

import pytest


def test_what_is_missing_is_said_in_one_line(tmp_path, monkeypatch):
    """On a machine without MariaDB: one line that names the packages."""
    from rds_iam_magic.sandbox import plugin

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(plugin, "_BIN", ())
    with pytest.raises(plugin.SandboxError) as caught:
        plugin.find_tools()
    assert "apt-get install mariadb-server-core" in str(caught.value)
    assert "brew install mariadb" in str(caught.value)
    assert "\n" not in str(caught.value)
