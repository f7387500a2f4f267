"""What a user is."""


def fold(text: str) -> str:
    """The form in which e-mails and usernames are compared."""
    return text.casefold()
