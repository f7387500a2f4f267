"""Aggregates, value types, rules and errors: frozen and pure. No database and no network; the time is an argument."""
