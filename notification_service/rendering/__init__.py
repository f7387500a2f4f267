"""Templates to mails."""
