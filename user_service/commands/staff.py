"""`python -m user_service staff --email …`: the first staff account, or a promotion from the command line."""

import argparse
import getpass
import sys

from pydantic import BaseModel, ValidationError

from libs.mongo_store.connection import UNAVAILABLE_ERRORS, connect
from libs.runtime.config import load
from libs.values.errors import DomainError
from user_service.api.schemas import Email, Password, Username
from user_service.config import Config, StaffPassword
from user_service.store.indexes import ensure_indexes
from user_service.use_cases.accounts import promote_user, register_user


class _NewStaff(BaseModel):
    username: Username
    email: Email
    password: Password


def make_staff(config: Config, arguments: list[str]) -> int:
    """Create or promote the account; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m user_service staff",
        description="Create a staff account, or promote the one with this e-mail address (its password stays).",
        epilog="The password of a new account is read from STAFF_PASSWORD, STAFF_PASSWORD_FILE or the terminal.",
    )
    parser.add_argument("--email", required=True)
    parser.add_argument("--username", help="of a new account (default: the part of the e-mail address before the @)")
    parser.add_argument("--role", choices=("viewer", "staff", "admin"), default="staff")
    wanted = parser.parse_args(arguments)
    connect(config.mongo_uri.get_secret_value())
    try:
        ensure_indexes()
        if promote_user(email=wanted.email, roles=[wanted.role]):
            return _say(f"{wanted.email} has the role {wanted.role} now")
        username = wanted.username or wanted.email.partition("@")[0]
        new = _NewStaff(username=username, email=wanted.email, password=_password())
        register_user(username=new.username, email=new.email, password=new.password, roles=[wanted.role])
    except ValidationError as error:
        refused = ", ".join(str(e["loc"][0]) for e in error.errors(include_input=False))
        return _fail(
            f"not made: {refused} not valid (a username has 3-30 of A-Z a-z 0-9 . _ -, a password 8-128 characters)"
        )
    except DomainError as error:
        return _fail(f"not made: {error.title}")
    except UNAVAILABLE_ERRORS as error:
        return _fail(f"not made: MongoDB does not answer ({type(error).__name__})")
    return _say(f"{wanted.email} was made with the role {wanted.role}")


def _password() -> str:
    if given := load(StaffPassword).staff_password:
        return given.get_secret_value()
    return getpass.getpass("Password of the new account: ") if sys.stdin.isatty() else ""


def _say(text: str) -> int:
    sys.stdout.write(text + "\n")
    return 0


def _fail(text: str) -> int:
    sys.stderr.write(text + "\n")
    return 1
