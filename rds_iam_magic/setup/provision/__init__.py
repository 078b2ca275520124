"""Databases of one's own, by CloudFormation: what is to be made, what it costs, and what became of it."""
