"""What there is to query: schemas, tables, columns, values, plans. It reaches connections through protocols only."""
