"""The errors of the local stack. `__main__` prints them as one line. Every other exception is a bug and keeps its traceback."""


class LocalError(Exception):
    """An error that the person at the terminal can correct, in one line."""


class NotReady(LocalError):
    """A process does not answer yet. It is checked again until its deadline."""
