"""MongoDB: connection, transaction, outbox, worker status and revocations."""
