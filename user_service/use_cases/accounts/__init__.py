"""Accounts: registered, changed, verified, deleted."""
