"""Mails to the SMTP server."""
