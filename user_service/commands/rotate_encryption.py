"""The command `rotate-encryption`: encrypt the secrets of authenticators with the first key of ENCRYPTION_KEY."""

import argparse
import sys

from libs.access.encryption import Encryption
from libs.mongo_store.connection import connect
from user_service.config import Config
from user_service.use_cases.rotate_encryption import rotate_encryption


def rotate(config: Config, arguments: list[str]) -> int:
    """Encrypt what is plain or has an older key. Returns the exit status: 1 when a secret can't be read."""
    argparse.ArgumentParser(
        prog="python -m user_service rotate-encryption",
        description="Encrypt each secret of an authenticator that is plain, or encrypted with the second key, with the first key.",
    ).parse_args(arguments)
    connect(config.mongo_uri.get_secret_value())
    done = rotate_encryption(Encryption(config.encryption_key))
    sys.stdout.write(f"{done.encrypted} secrets were encrypted with the first key\n")
    for user_id in done.unreadable:
        sys.stderr.write(f"The secret of account {user_id} has neither key. Add its key, or remove the authenticator\n")
    return 1 if done.unreadable else 0
