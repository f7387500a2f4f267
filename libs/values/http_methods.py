"""The HTTP methods that the services know. The module imports nothing, so gunicorn's arbiter may import it."""

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
"""All others are refused and not counted."""
