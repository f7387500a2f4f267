"""The errors of the local stack. `__main__` prints them as one line; everything else is a bug and keeps its traceback.

LocalError
 ├── NotReady      a process does not answer yet: asked again until its deadline
 └── PortInUse     somebody else listens where one of ours should
"""

from __future__ import annotations


class LocalError(Exception):
    """Something the person at the terminal can act on, said in one line."""


class NotReady(LocalError):
    """The process may become ready by itself."""


class PortInUse(LocalError):
    """A port is taken; the message names the variable that moves ours."""
