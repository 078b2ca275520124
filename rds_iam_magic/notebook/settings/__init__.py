"""Where the `%config` settings come from, beside the user."""
