"""What the Makefile runs, one module a verb, and what only one of them needs."""
