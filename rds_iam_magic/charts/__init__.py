"""Charts of results: which columns go where, what is counted, how it looks. Servers are reached by protocols only."""
