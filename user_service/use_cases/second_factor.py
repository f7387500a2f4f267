"""A second factor: an authenticator (TOTP, RFC 6238: six digits, 30 s) and, for the day it is lost, ten recovery codes.

The secret is in the database as it is, for codes are computed from it. Recovery codes are kept as hashes; each has 49 random
bits and is used once.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyotp

from libs.access.caller import Caller
from libs.values.errors import Invalid
from libs.values.times import now_ms
from user_service.domain.errors import HasSecondFactor, NoSecondFactor
from user_service.store.documents import users
from user_service.store.password_hashes import verify_password
from user_service.store.rate_limits import Attempts
from user_service.store.users import RawUser, change_user, object_id
from user_service.use_cases.accounts import own_account, require_power_over

STEP_SECONDS = 30
STEPS = (0, -1, 1)  # RFC 6238 5.2: one step for the clock of a telephone
RECOVERY_CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like another

Update = tuple[RawUser, RawUser]


def use_code(user: Mapping[str, Any], code: str) -> Update | None:
    """What makes this code the account's last one, as (condition, update) for MongoDB; None when it is wrong or was used."""
    if step := _step_of(user["totp_secret"], code):
        fresh = {"$or": [{"totp_step": None}, {"totp_step": {"$lt": step}}]}
        return {"totp_secret": user["totp_secret"], **fresh}, {"$set": {"totp_step": step}}
    recovery = _hash(code)
    if recovery in user.get("recovery_hashes", ()):
        return {"recovery_hashes": recovery}, {"$pull": {"recovery_hashes": recovery}}
    return None


def _step_of(secret: str, code: str) -> int | None:
    """The step of time whose code this is, of the present one and its neighbours."""
    totp, present = pyotp.TOTP(secret), now_ms() // 1000 // STEP_SECONDS
    right = {present + n: totp.generate_otp(present + n).encode() for n in STEPS}
    return next((step for step, one in right.items() if secrets.compare_digest(one, code.encode())), None)


@dataclass(frozen=True)
class Offer:
    """A secret for an authenticator, as text and as the URI that apps read from a QR code."""

    secret: str
    uri: str


def offer(*, caller: Caller, password: str, issuer: str, attempts: Attempts) -> Offer:
    """A new secret; it counts once a code of it is shown. Raises Invalid on `password`, HasSecondFactor, TooManyAttempts."""
    me = _with_password(caller, password, attempts)
    if me.get("totp_secret"):
        raise HasSecondFactor
    secret = pyotp.random_base32()
    users().update_one({"_id": me["_id"]}, {"$set": {"totp_offered": secret}})
    return Offer(secret, pyotp.TOTP(secret).provisioning_uri(name=me["email"], issuer_name=issuer))


def confirm(*, caller: Caller, code: str) -> list[str]:
    """The offered authenticator counts from now on; the recovery codes. Ends all sessions: they began without a code.

    Raises NoSecondFactor when none was offered, Invalid on `code`."""
    me = own_account(caller=caller)
    offered = me.get("totp_offered")
    if not offered:
        raise NoSecondFactor
    step = _step_of(offered, code)
    if not step:
        raise Invalid.field("code", "wrong-code", "This is not the code that the authenticator shows now")
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    changes = {"totp_secret": offered, "totp_step": step, "recovery_hashes": [_hash(code) for code in codes]}
    which = {"_id": me["_id"], "totp_offered": offered}
    change_user(which, changes, tokens="end", missing=NoSecondFactor, forget={"totp_offered": ""})
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def remove(*, caller: Caller, password: str, code: str, attempts: Attempts, codes: Attempts) -> None:
    """Take the authenticator off. Raises Invalid on `password` or `code`, NoSecondFactor, TooManyAttempts."""
    me = _with_password(caller, password, attempts)
    if not me.get("totp_secret"):
        raise NoSecondFactor
    codes.count()
    if not use_code(me, code):
        raise Invalid.field("code", "wrong-code", "This is no code of your authenticator, and no recovery code")
    codes.forget()
    _forget({"_id": me["_id"]})


def remove_for(*, caller: Caller, user_id: str) -> None:
    """The same for somebody who lost theirs, by an admin. Raises UnknownUser, NotAllowed, OwnAccount, NoSecondFactor."""
    caller.require("admin")
    require_power_over(caller, user_id)
    _forget({"_id": object_id(user_id)})


def _forget(which: RawUser) -> None:
    forgotten = dict.fromkeys(("totp_secret", "totp_offered", "totp_step", "recovery_hashes"), "")
    which |= {"totp_secret": {"$ne": None}}
    change_user(which, {}, tokens="end", missing=NoSecondFactor, forget=forgotten)


def _with_password(caller: Caller, password: str, attempts: Attempts) -> RawUser:
    me = own_account(caller=caller)
    attempts.check()
    if not verify_password(password, me["password_hash"], attempts):
        raise Invalid.field("password", "wrong-password", "This is not your password")
    return me


def _hash(code: str) -> str:
    return hashlib.sha256(code.casefold().replace("-", "").encode()).hexdigest()
