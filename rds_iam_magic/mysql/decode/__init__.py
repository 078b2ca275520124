"""Chunks of rows → Arrow record batches: bytes and column descriptions in, arrays out. No socket, no pandas.

Whole columns are decoded at once, by NumPy and Arrow; one small file for each family of types.
"""

from rds_iam_magic.mysql.decode.decoder import DecodeOptions, Decoder

__all__ = ["DecodeOptions", "Decoder"]
