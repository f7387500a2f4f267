"""The database: tables or documents, their conversion to the domain, transactions and outbox."""
