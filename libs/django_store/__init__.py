"""MySQL through Django: connection, worker status."""
