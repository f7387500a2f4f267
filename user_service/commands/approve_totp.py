"""The command `approve-totp`: approve the authenticator of an account with roles, such as that of the first admin."""

import argparse
import sys

from libs.mongo_store.connection import connect
from libs.values.errors import DomainError
from user_service.config import Config
from user_service.use_cases.sign_in.approve_second_factor import approve_second_factor_of


def approve(config: Config, arguments: list[str]) -> int:
    """Approve it for the account that the arguments name. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m user_service approve-totp",
        description="Let the account with this e-mail address set up one authenticator within 24 hours.",
    )
    parser.add_argument("--email", required=True)
    email = parser.parse_args(arguments).email.strip()
    connect(config.mongo_uri.get_secret_value())
    try:
        approve_second_factor_of(email=email)
    except DomainError as error:
        sys.stderr.write(f"{email} was not approved: {error.title}\n")
        return 1
    sys.stdout.write(f"{email} may set up an authenticator within 24 hours\n")
    return 0
