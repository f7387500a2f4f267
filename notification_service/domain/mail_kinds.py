"""The kinds of mails and their texts. A kind has the name of its event, or of the page that its link leads to."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class MailKind:
    """A kind of mail. Its texts may use `{shop}` and the text fields of the mail's content.

    `step`: the progress that the mail shows: 1 placed, 2 reserved, 3 shipped, 4 delivered, 0 none.
    `action`: the text of the button of a mail with a link.
    `disclaimer`: what a recipient should do who did not ask for the link, or did not make the change.
    """

    template: str
    subject: str
    heading: str
    lead: str
    tone: Literal["good", "plain", "bad"] = "plain"
    step: int = 0
    action: str = ""
    disclaimer: str = ""


KINDS: dict[str, MailKind] = {
    "user-registered": MailKind(
        template="welcome",
        subject="Welcome to {shop}, {username}!",
        heading="Welcome, {username}!",
        lead="Your {shop} account is ready. It is good to have you here.",
        tone="good",
    ),
    "order-placed": MailKind(
        template="order",
        subject="Order Confirmation - #{order_id}",
        heading="Thank you for your order",
        lead="We received your order and are now reserving its goods. We write again when they are reserved.",
        step=1,
    ),
    "order-confirmed": MailKind(
        template="order",
        subject="Your order #{order_id} is reserved",
        heading="Your goods are reserved",
        lead="All goods of your order are reserved for you. We write again when we ship them.",
        tone="good",
        step=2,
    ),
    "order-rejected": MailKind(
        template="order",
        subject="Your order #{order_id} could not be filled",
        heading="We could not fill your order",
        lead="We are sorry. We reserved nothing, and the order is closed.",
        tone="bad",
    ),
    "order-shipped": MailKind(
        template="order",
        subject="Your order #{order_id} is on its way",
        heading="Your order is on its way",
        lead="We shipped your goods.",
        tone="good",
        step=3,
    ),
    "order-delivered": MailKind(
        template="order",
        subject="Your order #{order_id} was delivered",
        heading="Your order was delivered",
        lead="Your goods have arrived. We hope that you like them.",
        tone="good",
        step=4,
    ),
    "order-cancelled": MailKind(
        template="order",
        subject="Your order #{order_id} was cancelled",
        heading="Your order was cancelled",
        lead="The order is closed, and its goods are no longer reserved for you.",
        tone="bad",
    ),
    "password-reset": MailKind(
        template="link",
        subject="Reset your password",
        heading="Reset your password",
        lead="We received a request for a new password for your {shop} account.",
        action="Choose a new password",
        disclaimer="If you did not request it, ignore this mail. Your password does not change.",
    ),
    "verify-email": MailKind(
        template="link",
        subject="Verify your e-mail address",
        heading="Verify your e-mail address",
        lead="Please confirm that this address of your {shop} account is yours.",
        tone="good",
        action="Verify this address",
        disclaimer="If you have no account with us, ignore this mail. The address was probably mistyped.",
    ),
    "password-changed": MailKind(
        template="notice",
        subject="Your password was changed",
        heading="Your password was changed",
        lead="The password of your {shop} account was changed.",
        disclaimer="If it was not you, set a new password now by “Forgot password”, and contact us.",
    ),
    "email-changed": MailKind(
        template="notice",
        subject="Your e-mail address was changed",
        heading="Your e-mail address was changed",
        lead="Your {shop} account has another e-mail address now. This is the last mail to the old one.",
        disclaimer="If it was not you, contact us at once: another person may use your account.",
    ),
    "authenticator-added": MailKind(
        template="notice",
        subject="An authenticator was added",
        heading="An authenticator was added",
        lead="Your {shop} account has an authenticator now. Each sign-in needs a code from it.",
        disclaimer="If it was not you, set a new password now by “Forgot password”, and contact us.",
    ),
    "authenticator-removed": MailKind(
        template="notice",
        subject="An authenticator was removed",
        heading="An authenticator was removed",
        lead="Your {shop} account has no authenticator any more. A sign-in needs the password alone.",
        disclaimer="If it was not you, set a new password now by “Forgot password”, and contact us.",
    ),
    "account-changed": MailKind(
        template="notice",
        subject="Your account was changed",
        heading="Your account was changed",
        lead="A setting of your {shop} account was changed.",
        disclaimer="If it was not you, set a new password now by “Forgot password”, and contact us.",
    ),
    "test": MailKind(
        template="test",
        subject="Test mail from {shop}",
        heading="It works",
        lead="This is a test mail. {shop} can send mails, and this one arrived.",
        tone="good",
    ),
}


GENERAL_NOTICE = "account-changed"
"""The notice of a change that this version does not know."""
NOTICE_KINDS = frozenset(kind for kind, row in KINDS.items() if row.template == "notice") - {GENERAL_NOTICE}

# The texts of reason codes that concern a customer. Mails do not show other codes.
REASONS = {
    "out_of_stock": "Some of the goods are out of stock.",
    "withdrawn": "Some of the goods are no longer sold.",
    "price_changed": "A price changed while you ordered.",
    "timeout": "The goods could not be reserved in time.",
    "cancelled_by_customer": "You cancelled it.",
    "cancelled_by_staff": "Our staff cancelled it. Please contact us if you have questions.",
}
