"""The kinds of mails: subject, heading, tone and wording."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class MailKind:
    """A kind of mail; the texts take `{shop}` and the values that the mail is composed of."""

    template: str
    subject: str
    heading: str
    lead: str
    tone: Literal["good", "plain", "bad"] = "plain"
    step: int = 0  # how far an order came: placed 1, reserved 2, shipped 3, delivered 4; 0 shows no progress
    action: str = ""  # what the button says, of a mail with a link; its address is the kind
    otherwise: str = ""  # what to do if it was somebody else


KINDS: dict[str, MailKind] = {
    "user-registered": MailKind(
        "welcome",
        "Welcome to {shop}, {username}!",
        "Welcome, {username}!",
        "Your {shop} account is ready. It is good to have you here.",
        "good",
    ),
    "order-placed": MailKind(
        "order",
        "Order Confirmation - #{order_id}",
        "Thank you for your order",
        "We have your order, and its goods are being reserved. We write again as soon as they are.",
        "plain",
        1,
    ),
    "order-confirmed": MailKind(
        "order",
        "Your order #{order_id} is reserved",
        "Your goods are reserved",
        "Everything you ordered is set aside for you. We write again when it is on its way.",
        "good",
        2,
    ),
    "order-rejected": MailKind(
        "order",
        "Your order #{order_id} could not be filled",
        "We could not fill your order",
        "We are sorry. Nothing was reserved, and the order is closed.",
        "bad",
    ),
    "order-shipped": MailKind(
        "order",
        "Your order #{order_id} is on its way",
        "Your order is on its way",
        "Your goods have left our house.",
        "good",
        3,
    ),
    "order-delivered": MailKind(
        "order",
        "Your order #{order_id} was delivered",
        "Your order was delivered",
        "Your goods have arrived. We hope that you like them.",
        "good",
        4,
    ),
    "order-cancelled": MailKind(
        "order",
        "Your order #{order_id} was cancelled",
        "Your order was cancelled",
        "The order is closed, and its goods are no longer held for you.",
        "bad",
    ),
    "password-reset": MailKind(
        "link",
        "Reset your password",
        "Reset your password",
        "Somebody, most likely you, asked for a new password for your {shop} account.",
        action="Choose a new password",
        otherwise="If it was not you, there is nothing to do: your password stays as it is.",
    ),
    "verify-email": MailKind(
        "link",
        "Verify your e-mail address",
        "Verify your e-mail address",
        "Please tell us that this address of your {shop} account is yours.",
        "good",
        action="Verify this address",
        otherwise="If you have no account with us, somebody mistyped an address: please ignore this mail.",
    ),
    "test": MailKind(
        "test",
        "Test mail from {shop}",
        "It works",
        "This is a test mail: {shop} can send mails, and you can read them.",
        "good",
    ),
}


# Codes of an order's reason that say something to a customer; others stay inside.
REASONS = {
    "out_of_stock": "Some of the goods are out of stock.",
    "price_changed": "A price changed while you ordered.",
    "timeout": "The goods could not be reserved in time.",
    "cancelled_by_customer": "You asked us to.",
    "cancelled_by_staff": "Our staff cancelled it. Please ask us if you wonder why.",
}
