"""Paths on a magic's line."""

from rds_iam_magic.notebook.completion.files import paths_at


def test_what_a_folder_has(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "data" / "old").mkdir(parents=True)
    (tmp_path / "data" / "orders.csv").touch()
    (tmp_path / ".hidden").touch()

    def found(line):
        return [item.text for item in paths_at(line)]

    assert found(" --to ") == ["data/"]
    assert found(" --to da") == ["data/"]
    assert found(" --to=data/o") == ["data/old/", "data/orders.csv"]
    assert found(" --to ~/d") == ["~/data/"]
    assert found(f" --to {tmp_path}/d") == [f"{tmp_path}/data/"]
    assert found(" --ca .h") == [".hidden"]
    assert found(" --to nothing/x") == found(" --to s3://bucket/x") == []
