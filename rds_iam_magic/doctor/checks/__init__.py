"""The checks: each answers one question, and is given seconds for it."""
