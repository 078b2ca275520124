"""Databases that are made while the sandbox runs; `cloud.py` imports this, when moto is there."""
