"""The CloudFormation templates that the package brings along, `aurora.yaml` and `mysql.yaml`."""

from __future__ import annotations

import re
from importlib.resources import files


def template_of(engine: str) -> str:
    """A template's text, as CloudFormation takes it."""
    return (files("rds_iam_magic.setup") / "templates" / f"{engine}.yaml").read_text("utf-8")


def default_of(engine: str, parameter: str) -> str:
    """The default of one of a template's parameters; read without a YAML parser, which is no dependency.

    Raises:
        LookupError: The template has no such parameter, or that has no default.
    """
    section = template_of(engine).partition("\nParameters:\n")[2].partition("\nConditions:\n")[0]
    match = re.search(rf"^  {parameter}:\n(?:    .*\n)*?    Default: (.*)$", section, re.MULTILINE)
    if match is None:
        raise LookupError(parameter)
    return match[1].strip('"')
