"""`python -m order_service migrate`: the database's tables."""

import sys

from django.core.management import call_command
from django.db import OperationalError, connection

LONG_SECONDS = 600  # changing a large table takes longer than any request may


def migrate() -> int:
    """Apply the migrations; return the exit status."""
    connection.settings_dict["OPTIONS"] |= {"read_timeout": LONG_SECONDS, "write_timeout": LONG_SECONDS}
    try:
        call_command("migrate", interactive=False)
    except OperationalError as error:
        sys.stderr.write(f"not migrated: {error}\n")
        return 1
    return 0
