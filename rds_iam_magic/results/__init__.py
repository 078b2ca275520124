"""Results: Arrow tables and what becomes of them; nothing here knows an engine."""
