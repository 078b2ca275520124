"""Where a cell's SQL comes from beside its body: files, and queries that were saved under a name."""
