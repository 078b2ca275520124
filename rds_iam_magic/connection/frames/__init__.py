"""What a `Connection` does with frames that become tables."""
