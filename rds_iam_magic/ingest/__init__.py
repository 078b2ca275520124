"""Frames → tables: what a DataFrame needs of a table, as SQL; it reaches no connection."""
