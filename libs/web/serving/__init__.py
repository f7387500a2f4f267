"""gunicorn: its settings, workers, buffers, and what its parser refuses."""
