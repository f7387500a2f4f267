"""The errors of the local stack. `__main__` prints them as one line. Every other exception is a bug and keeps its traceback.

LocalError
 ├── NotReady      a process does not answer yet: it is checked again until its deadline
 └── PortInUse     another program listens on a port that one of our processes needs
"""


class LocalError(Exception):
    """An error that the person at the terminal can correct, in one line."""


class NotReady(LocalError):
    """The process may become ready by itself."""


class PortInUse(LocalError):
    """A port is taken. The message names the variable that moves our process."""
