"""Chunks of rows → Arrow record batches: bytes and column descriptions in, arrays out. No socket, no pandas.

Whole columns are decoded at once, by NumPy and Arrow; one small file for each family of types.
"""

from rds_iam_magic.database.decode.decoder import Decoder, Options

__all__ = ["Decoder", "Options"]
