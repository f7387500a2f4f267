"""Aggregates, value types, rules and errors: frozen and pure. No database and no network. The time comes in as an argument."""
