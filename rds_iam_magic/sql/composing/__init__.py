"""Statements made of several texts."""
