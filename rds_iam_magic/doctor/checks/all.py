"""`ALL`: the list of the checks. A new check is added here, and nowhere else."""

from __future__ import annotations

from rds_iam_magic.doctor.checks.accounts import ACCOUNTS
from rds_iam_magic.doctor.checks.check import Check
from rds_iam_magic.doctor.checks.credentials import CREDENTIALS
from rds_iam_magic.doctor.checks.database import DATABASE
from rds_iam_magic.doctor.checks.identity import IDENTITY
from rds_iam_magic.doctor.checks.log import LOG
from rds_iam_magic.doctor.checks.policy import POLICY
from rds_iam_magic.doctor.checks.server import SERVER
from rds_iam_magic.doctor.checks.target import TARGET

ALL: tuple[Check, ...] = (
    CREDENTIALS,
    IDENTITY,
    TARGET,
    DATABASE,
    SERVER,
    ACCOUNTS,
    POLICY,
    LOG,
)
"""All checks. Their order means nothing: `needs` and `after` say what waits for what."""
