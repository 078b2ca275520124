"""Tunnels to a database in a private network: the user's own `ssh` or `aws`, started, watched and ended."""
