"""The errors of the local stack. `__main__` prints them as one line. Every other exception is a bug and keeps its traceback.

LocalError
 └── NotReady      a process does not answer yet: it is checked again until its deadline
"""


class LocalError(Exception):
    """An error that the person at the terminal can correct, in one line."""


class NotReady(LocalError):
    """The process may become ready by itself."""
