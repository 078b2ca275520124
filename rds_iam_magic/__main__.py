"""`python -m rds_iam_magic`: the commands."""

import sys

from rds_iam_magic.notebook.doctor.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
