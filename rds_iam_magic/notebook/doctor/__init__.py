"""The magic that says why a login does not work, and the same as a command."""
