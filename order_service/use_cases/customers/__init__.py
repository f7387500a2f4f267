"""Customers: their addresses and the end of their accounts."""
