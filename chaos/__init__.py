"""Fault tests: kill, freeze, cut. Each starts from a whole shop, asserts that its fault happened, heals, and compares sets."""
