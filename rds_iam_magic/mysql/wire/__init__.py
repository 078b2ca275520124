"""What the server and this package say to each other: bytes → events. Nothing here has a socket."""
