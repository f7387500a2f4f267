"""The command `migrate-emails`: write the keys of stored e-mail addresses anew, after the rule for keys has changed."""

import argparse
import sys

from libs.mongo_store.connection import connect
from user_service.config import Config
from user_service.domain.errors import EmailTaken
from user_service.store.email_keys import Collision, find_changes, write_keys

CHANGED_MEANWHILE = "An account has changed its address at the same time. Nothing was changed. Run the command again\n"


def migrate(config: Config, arguments: list[str]) -> int:
    """Write the keys, unless two accounts have the same one. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m user_service migrate-emails",
        description="Write the key of each stored e-mail address anew. It changes nothing when two accounts have the same key.",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would change")
    is_dry = parser.parse_args(arguments).dry_run
    connect(config.mongo_uri.get_secret_value())
    try:
        changes, collisions = find_changes()
        if collisions:
            return _report(collisions)
        for change in changes if is_dry else ():
            sys.stdout.write(f"{change.user_id}: {change.old} becomes {change.new}\n")
        if not is_dry:
            write_keys(changes)
    except EmailTaken:
        sys.stderr.write(CHANGED_MEANWHILE)
        return 1
    sys.stdout.write(f"{len(changes)} keys {'would change' if is_dry else 'were changed'}\n")
    return 0


def _report(collisions: list[Collision]) -> int:
    for collision in collisions:
        accounts = ", ".join(f"{email} ({user_id})" for user_id, email in collision.accounts)
        sys.stderr.write(f"{collision.key}: {accounts}\n")
    sys.stderr.write(f"{len(collisions)} addresses have more than one account. Nothing was changed\n")
    return 1
