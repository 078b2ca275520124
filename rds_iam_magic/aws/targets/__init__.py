"""What the user names → the endpoint that it means: `resolve.py` has the table of all ways to name one."""
