"""What RDS itself says of logins that it refused: its log `iam-db-auth-error`, and its metrics."""
