"""Kafka topics as storage: the ledger of sent mails, and a view of accounts in memory."""
