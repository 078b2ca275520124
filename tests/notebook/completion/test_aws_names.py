"""The names in AWS's configuration files."""

from rds_iam_magic.notebook.completion.aws_names import profiles, regions


def test_profiles_and_regions(own_configuration, monkeypatch, tmp_path):
    assert own_configuration is None
    (tmp_path / "config").write_text(
        "[default]\nregion = eu-west-3\n[profile work]\nregion=ap-east-1\n[ profile 'two words' ]\n"
        "[sso-session s]\nsso_region = eu-south-1\n[services x]\n[stray]\n"
    )
    (tmp_path / "credentials").write_text(
        "[default]\naws_secret_access_key = hunter2\n[keys]\naws_access_key_id=AKIA\n"
    )
    assert profiles() == ["default", "work", "two words", "keys"]
    assert regions()[:5] == ["us-east-1", "eu-west-3", "ap-east-1", "eu-south-1", "us-east-2"]
    monkeypatch.setenv("AWS_REGION", "sa-east-1")
    assert regions()[0] == "sa-east-1"


def test_no_files(own_configuration, tmp_path, monkeypatch):
    assert own_configuration is None
    assert profiles() == []
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path))
    (tmp_path / "credentials").write_bytes(b"\xff\xfe[a\x00")
    assert profiles() == []
