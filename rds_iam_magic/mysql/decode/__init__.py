"""Chunks of rows → Arrow record batches: bytes and column definitions in, arrays out. No socket, no pandas.

NumPy and Arrow decode whole columns at once; each family of types has a small file.
"""

from rds_iam_magic.mysql.decode.decoder import DecodeOptions, Decoder

__all__ = ["DecodeOptions", "Decoder"]
