"""Resend the mail of one of an order's changes, by staff.

notification_service sends one mail per event, so a resend is an event of its own, with its own id.
"""

from libs.access.caller import Caller
from order_service.domain.actor import Actor
from order_service.domain.errors import CustomerDeleted, StepNotTaken, UnknownOrder
from order_service.domain.order_status import Status
from order_service.events.published import EVENT_OF, MailResendRequested
from order_service.store.order_tables import orders

KIND_OF: dict[Status, str] = {status: event.topic for status, event in EVENT_OF.items()}
"""The kind of mail for each status: the topic of the transition's event, such as `order-shipped`."""
STATUS_OF = {kind: status for status, kind in KIND_OF.items()}


def resend_mail(*, caller: Caller, order_id: str, kind: str) -> None:
    """Resend the mail of a change of the order, by staff. `kind`: one of KIND_OF.

    The mail has the content it had then. Raises NotAllowed, UnknownOrder, CustomerDeleted, StepNotTaken.
    """
    caller.require("staff")
    status = STATUS_OF.get(kind)
    # Repeated when another event of the order was stored first, or the account was deleted since the order was read.
    while order := orders.find(order_id):
        if order.customer.email is None:
            raise CustomerDeleted
        change = orders.find_change(order_id, status) if status else None
        if change is None:
            raise StepNotTaken
        event = MailResendRequested.of(order.at_change(change), change.before, kind=kind)
        if orders.add_mail_request(order, event, actor=Actor.staff(caller.user_id)):
            return
    raise UnknownOrder
