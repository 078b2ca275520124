"""What a cell shows: its results, and what is told beside them."""
