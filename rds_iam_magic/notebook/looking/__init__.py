"""The magics for looking around: tables, columns, values, plans."""
