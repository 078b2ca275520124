"""SQL as text: where statements end and what they may do; no server involved."""
