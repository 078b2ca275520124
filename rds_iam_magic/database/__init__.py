"""The held connection: the driver, the protocol, decoding, statements."""
