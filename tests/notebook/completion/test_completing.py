"""Completion from loading the extension to unloading it."""


def test_it_comes_and_goes_with_the_extension(ip):
    ip.run_line_magic("load_ext", "rds_iam_magic")
    assert "completions" in vars(ip.Completer)
    ip.run_line_magic("reload_ext", "rds_iam_magic")
    assert "completions" in vars(ip.Completer)
    ip.run_line_magic("unload_ext", "rds_iam_magic")
    assert "completions" not in vars(ip.Completer)
