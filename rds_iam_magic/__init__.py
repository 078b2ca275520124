"""Password-less SQL on Amazon RDS and Aurora, from a notebook or a script."""

__version__ = "0.1.0"
