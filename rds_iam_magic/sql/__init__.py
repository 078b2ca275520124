"""SQL as text: where statements end, what they may do; nothing here knows a server."""
