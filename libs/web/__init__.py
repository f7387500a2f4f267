"""Incoming HTTP: Flask and DRF adapters, problem documents, bodies, headers, circuit breaker, gunicorn."""
