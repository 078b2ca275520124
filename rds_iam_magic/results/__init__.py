"""Results as Arrow data, and their conversion to DataFrames and files; independent of any database engine."""
