"""The magics: options, what they run, what they show."""
