"""One query read in parts: ranges of a key, each read by a session of its own, here or on another machine."""
