"""Mails about orders: which were sent, and one of them again."""
