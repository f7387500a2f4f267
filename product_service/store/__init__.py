"""The database: documents, their conversion to the domain, transactions, outbox."""
