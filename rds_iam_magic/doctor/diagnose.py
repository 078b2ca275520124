"""`diagnose_with`: runs the checks, and concludes from what they see."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
    from rds_iam_magic.doctor.evidence import Asked
    from rds_iam_magic.doctor.findings import Diagnosis

diagnose_with: Callable[[Asked, ConnectOptions, TargetOptions, str | None, Callable[[str], None]], Diagnosis]
