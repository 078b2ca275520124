"""A local RDS emulation, to try, test and teach without an AWS account: `python -m rds_iam_magic.sandbox`.

A private MariaDB server whose plugin `AWSAuthenticationPlugin` passes each login to a verifier that checks tokens as
RDS does, and a moto server in place of AWS. It needs the extra `sandbox`, the MariaDB server, its headers and a C
compiler.
"""

from rds_iam_magic.sandbox.plugin import SandboxError
from rds_iam_magic.sandbox.sandbox import Sandbox

__all__ = ["Sandbox", "SandboxError"]
