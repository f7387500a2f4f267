"""`python -m order_service superuser --email …`: an account for the admin pages. Its username is the e-mail address."""

import argparse
import getpass
import sys

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import OperationalError

from chassis.env import load
from order_service.config import StaffPassword


def make_superuser(arguments: list[str]) -> int:
    """Create the account or set its password; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m order_service superuser",
        description="Create the superuser with this e-mail address, or set the password of the one there is.",
        epilog="The password is read from STAFF_PASSWORD, STAFF_PASSWORD_FILE or the terminal.",
    )
    parser.add_argument("--email", required=True)
    parser.add_argument("--keep", action="store_true", help="leave the account alone if there is one")
    wanted = parser.parse_args(arguments)
    email = wanted.email.strip().casefold()
    users = get_user_model().objects
    try:
        validate_email(email)
        known = users.filter(username=email).first()
        if known and wanted.keep:
            return _say(f"{email} is there already")
        user = known or users.model(username=email, email=email)
        validate_password(password := _password(), user)
        user.is_staff = user.is_superuser = user.is_active = True
        user.set_password(password)
        user.save()
    except ValidationError as error:
        return _fail("; ".join(error.messages))
    except OperationalError:
        return _fail("the database does not answer, or has no tables yet: python -m order_service migrate")
    return _say(f"{email} may sign in at /admin/ now")


def _password() -> str:
    if given := load(StaffPassword).staff_password:
        return given.get_secret_value()
    return getpass.getpass("Password of the account: ") if sys.stdin.isatty() else ""


def _say(text: str) -> int:
    sys.stdout.write(text + "\n")
    return 0


def _fail(reason: str) -> int:
    sys.stderr.write(f"not made: {reason}\n")
    return 1
