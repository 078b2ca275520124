"""The magics: their options, what they run, and what they display."""
