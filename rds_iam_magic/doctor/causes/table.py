"""`CAUSES`: all causes, in the order of the way from the credentials to the grants."""

from __future__ import annotations

from rds_iam_magic.doctor.causes import credentials, iam, rds, reach, users
from rds_iam_magic.doctor.causes.cause import Cause
from rds_iam_magic.doctor.findings import CHECKS

_ALL: dict[str, Cause] = {
    **credentials.CAUSES,
    **reach.BEFORE_LOGIN,
    **iam.CAUSES,
    **rds.CAUSES,
    **users.CAUSES,
    **reach.AFTER_LOGIN,
}

CAUSES: dict[str, Cause] = dict(sorted(_ALL.items(), key=lambda item: CHECKS.index(item[1].check)))
"""By their names, which stay when wordings change. Of several that are certain, the first one is the verdict."""
