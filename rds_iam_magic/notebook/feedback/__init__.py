"""What is told beside results: a line after each statement, and how far one is."""
