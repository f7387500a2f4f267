"""Change one's own password."""

from dataclasses import replace

from libs.access.caller import Caller
from libs.mongo_store.transactions import until_written
from libs.values.times import now
from user_service.domain.passwords import refuse_guessable
from user_service.domain.user import User
from user_service.events.published import UserNoticeRequested
from user_service.store import users
from user_service.store.limits.mail_limits import MailLimits
from user_service.store.limits.rate_limits import Attempt, LoginLimits
from user_service.store.password_hashes import hash_password
from user_service.use_cases.reauthenticate import reauthenticate


def change_password(
    *, caller: Caller, current: str, new: str, limits: LoginLimits, mail_limits: MailLimits, shop_name: str = ""
) -> User:
    """Set a new password and end all sessions, and the links to reset the password.

    The owner gets a notice. It is never suppressed, so changes count as mails while the address is not verified: it may be a
    stranger's. Raises Invalid on `current` or `new`, TooManyAttempts, TooManyHashes, NotAuthenticated.
    """
    attempt = Attempt()

    @until_written
    def change() -> User | None:
        before = reauthenticate(caller=caller, password=current, limits=limits, field="current")
        refuse_guessable(new, username=before.username, email=before.email, shop_name=shop_name, field="new")
        if not before.email_verified:
            attempt.count(mail_limits.recipient(before.email))
        after = replace(before, password_hash=hash_password(new))
        return users.update(before, after, UserNoticeRequested.of(after, "password-changed", at=now()), tokens="end")

    return change()
