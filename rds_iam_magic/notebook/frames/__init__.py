"""Frames that cells write back: the options, and the variables that they name."""
