"""Incoming HTTP: the Flask and DRF adapters, problem details, bodies, headers, circuit breaker and gunicorn."""
