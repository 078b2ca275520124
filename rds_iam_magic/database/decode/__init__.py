"""database/decode."""
