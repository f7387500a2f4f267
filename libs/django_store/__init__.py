"""MySQL through Django: connection, abstract tables, outbox, worker status, revocations."""
