"""The names of what a server has, kept in memory: schemas, tables, columns, routines."""
