"""Request a new mail link in place of one whose mail was dead-lettered."""

from libs.mongo_store.transactions import until_written
from libs.runtime.logs import get_logger
from user_service.domain.errors import LinkReissued
from user_service.domain.mail_token import MailToken, MailTokenKind
from user_service.domain.user import User
from user_service.events.published import UserMailRequested
from user_service.store import mail_tokens, users
from user_service.store.clock import now
from user_service.store.limits.mail_limits import MailLimits

log = get_logger(__name__)


def reissue_link(*, user_id: str, kind: MailTokenKind, event_id: str, limits: MailLimits) -> None:
    """Request a mail with a new link of this kind, when it is still needed and the recipient's limit is not reached.

    `event_id` is the id of the event whose mail was dead-lettered. It gets one new link, however often it is replayed.
    """
    user = _recipient(user_id, kind)
    if user is None or mail_tokens.is_reissued(event_id):
        log.info("link not needed", user=user_id, kind=kind)
    elif not limits.recipient(user.email).hit():
        log.warning("link suppressed: too many mails to the address", user=user_id, kind=kind)
    else:
        _issue(user_id, kind, event_id)


def _recipient(user_id: str, kind: MailTokenKind) -> User | None:
    """The account when it still needs the link.

    A verification is needed until the address is verified. A reset is needed while the link works that was requested: it ends with
    its use, with a new password, and after its lifetime.
    """
    user = users.find_active(user_id)
    if user is None:
        return None
    is_needed = mail_tokens.has_valid("reset", user_id) if kind == "reset" else not user.email_verified
    return user if is_needed else None


@until_written
def _issue(user_id: str, kind: MailTokenKind, event_id: str) -> bool | None:
    user = _recipient(user_id, kind)
    if user is None:
        return True
    token, text = MailToken.issue(kind, user_id=user.id, email_key=user.email.key, at=now(), reissue_of=event_id)
    try:
        return True if users.update(user, user, UserMailRequested.of(user, token, text), issued=token) else None
    except LinkReissued:
        return True
