"""How a held session begins, and when it ends by itself."""
