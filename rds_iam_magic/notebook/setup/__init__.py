"""The magics that set databases, users and policies up."""
