"""The command `staff`: create a staff account, or promote an account."""

import argparse
import getpass
import sys

from pydantic import BaseModel, ValidationError

from libs.mongo_store.connection import connect
from libs.runtime.config import load
from libs.values.errors import DomainError, Invalid
from user_service.config import Config, StaffPassword
from user_service.domain.errors import EmailNotVerified, UnknownUser
from user_service.domain.passwords import Password
from user_service.domain.user import Email, Username, require_ascii_local_part
from user_service.store.indexes import ensure_indexes
from user_service.use_cases.accounts.register_user import register_user
from user_service.use_cases.manage_account import promote_user


class _NewPassword(BaseModel):
    password: Password


class _NewStaff(_NewPassword):
    username: Username
    email: Email


def make_staff(config: Config, arguments: list[str]) -> int:
    """Create or promote the account that the arguments describe. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m user_service staff",
        description="Create a staff account, or promote the account with this e-mail address. Its password stays if it has a "
        "role or its address is verified. Else it gets the new password, because a stranger may have registered it.",
        epilog="The new password is read from STAFF_PASSWORD, STAFF_PASSWORD_FILE or the terminal.",
    )
    parser.add_argument("--email", required=True)
    parser.add_argument(
        "--username", help="name of a new account (default: the part of the e-mail address before the @)"
    )
    parser.add_argument("--role", choices=("viewer", "staff", "admin"), default="staff")
    given = parser.parse_args(arguments)
    connect(config.mongo_uri.get_secret_value())
    try:
        ensure_indexes()
        if done := _promote(given.email, given.role, config.shop_name):
            return _print(f"{given.email} has the role {given.role} now{done}")
        if not config.smtp_utf8:
            require_ascii_local_part(given.email)
        username = given.username or given.email.strip().partition("@")[0]
        new = _NewStaff(username=username, email=given.email, password=_password())
        register_user(
            username=new.username,
            email=new.email,
            password=new.password,
            roles=[given.role],
            shop_name=config.shop_name,
            verified=True,
        )
    except ValidationError as error:
        refused = ", ".join(str(e["loc"][0]) for e in error.errors(include_input=False))
        return _fail(
            f"Account not created and not promoted: {refused} not valid. "
            "A username has 3-30 of A-Z a-z 0-9 . _ -, a password has 8-128 characters"
        )
    except Invalid as error:
        return _fail(f"Account not created and not promoted: {error.errors[0]['message']}")
    except DomainError as error:
        return _fail(f"Account not created and not promoted: {error.title}")
    return _print(f"{given.email} was created with the role {given.role}")


def _promote(email: str, role: str, shop_name: str) -> str:
    """Promote the account. Return the end of a sentence about it, "" without such an account."""
    try:
        promote_user(email=email, roles=[role])
    except UnknownUser:
        return ""
    except EmailNotVerified:
        new = _NewPassword(password=_password())
        promote_user(email=email, roles=[role], password=new.password, shop_name=shop_name)
        return ". Its address was not verified, so it has the new password and its sessions have ended."
    return "."


def _password() -> str:
    if given := load(StaffPassword).staff_password:
        return given.get_secret_value()
    return getpass.getpass("Password of the new account: ") if sys.stdin.isatty() else ""


def _print(text: str) -> int:
    sys.stdout.write(text + "\n")
    return 0


def _fail(text: str) -> int:
    sys.stderr.write(text + "\n")
    return 1
