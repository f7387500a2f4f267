"""Orders: placed, priced, decided, cancelled, moved on, listed by their changes."""
