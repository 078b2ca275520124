"""Setting a database up for IAM authentication: its users and their grants."""
