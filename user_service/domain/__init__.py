"""Aggregates, value types, rules and errors: frozen and pure. No database, no network; the time comes in as an argument."""
