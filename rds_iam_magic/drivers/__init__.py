"""The same login for other people's code: a plain connection of PyMySQL, and an engine of SQLAlchemy."""
