"""An RDS on this machine, to try, test and teach without an AWS account: `python -m rds_iam_magic.sandbox`.

A private MariaDB server whose plugin `AWSAuthenticationPlugin` hands each login to a verifier that does what RDS does
with tokens, and a moto server that stands for AWS. Needs the extra `sandbox`, MariaDB's server, its headers and a C
compiler.
"""

from rds_iam_magic.sandbox.plugin import SandboxError
from rds_iam_magic.sandbox.sandbox import Sandbox

__all__ = ["Sandbox", "SandboxError"]
