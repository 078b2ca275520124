"""Completion in the magics' lines and cells: options and their values, tables, columns, SQL. No Python names."""
