"""Why a login does not work, step by step: from the AWS credentials to the grants."""
