"""IAM policies for `rds-db:connect`: written, looked over, attached to a role, user or group."""
