"""`python -m order_service migrate`: create or change the tables of the database."""

import sys

from django.core.management import call_command
from django.db import OperationalError, connection

from order_service.config import Migrator

LONG_SECONDS = 600  # changing a large table takes longer than any request may


def migrate(migrator: Migrator) -> int:
    """Apply the migrations, as MYSQL_MIGRATE_USER if there is one; return the exit status."""
    if (user := migrator.mysql_migrate_user) and (password := migrator.mysql_migrate_password):
        connection.settings_dict |= {"USER": user, "PASSWORD": password.get_secret_value()}
    connection.settings_dict["OPTIONS"] |= {"read_timeout": LONG_SECONDS, "write_timeout": LONG_SECONDS}
    try:
        call_command("migrate", interactive=False)
    except OperationalError as error:
        sys.stderr.write(f"not migrated: {error}\n")
        return 1
    return 0
