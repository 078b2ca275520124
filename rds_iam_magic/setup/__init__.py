"""Sets up a database for IAM authentication: its users and their grants."""
