"""The tables of orders: rows, batches, notes, changes, idempotency keys."""
