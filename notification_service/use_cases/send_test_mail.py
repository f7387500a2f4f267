"""Send a test mail for staff."""

from ulid import ULID

from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from libs.runtime.telemetry import trace_context
from notification_service.domain.errors import MailRefused, SmtpUnavailable, TooManyMails
from notification_service.domain.failures import InDoubt
from notification_service.domain.mail import AccountContent, Mail
from notification_service.rendering.composer import Composer
from notification_service.smtp.mailer import AnswerOutstanding, Mailer
from notification_service.store.recipient_limit import RecipientLimit

ATTEMPT_SECONDS = 3.0  # with ANSWER_SECONDS: the request is answered within 5 s
ANSWER_SECONDS = 1.0


def send_test_mail(*, composer: Composer, mailer: Mailer, limit: RecipientLimit, recipient: str, username: str) -> Mail:
    """Send a test mail to `recipient`. `username` requested it. Returns the mail.

    Test mails count apart, so they take no mail from the address's owner. Raises TooManyMails, MailRefused or SmtpUnavailable.
    """
    event_id, mailbox = str(ULID()), f"test {limit.key_of(recipient)}"
    if not limit.take(mailbox, event_id):
        raise TooManyMails(limit.wait(mailbox))
    content = AccountContent(username=username)
    trace_id = trace_context.current_or_new().trace_id
    mail = composer.compose("test", event_id=event_id, recipient=recipient, content=content, trace_id=trace_id)
    try:
        mailer.send(mail, seconds=ATTEMPT_SECONDS, patience=ANSWER_SECONDS)
    except AnswerOutstanding as late:
        late.answer.abandon()
        raise SmtpUnavailable(str(late)) from None
    except (ServerUnavailable, TransientFailure, InDoubt) as failure:
        raise SmtpUnavailable(str(failure)) from None
    except PermanentFailure as failure:
        raise MailRefused(str(failure)) from None
    return mail
