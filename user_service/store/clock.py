"""The clock of the service: its database's. The hosts of its processes may be minutes apart, and their clocks may jump.

It decides about tokens, sessions, links, codes and leases. Times that only inform are by the clock of the process,
such as that of a change of an account.
"""

from datetime import datetime

from libs.mongo_store.connection import database_time
from user_service.store import documents


def now() -> datetime:
    """The database's time in whole milliseconds, by one command. Raises the errors of the database."""
    return database_time(documents.User._get_db())
