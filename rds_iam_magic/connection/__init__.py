"""A held connection: statements in, results out; what a lost session means. No bytes, no protocol."""
