"""Limits by rate and number."""
