"""Notes of staff on orders. They may hold personal data of the customer, and they hold the name of their author."""

from django.db import transaction

from libs.values.times import now
from order_service.domain.actor import Actor
from order_service.domain.errors import UnknownOrder
from order_service.store import customers
from order_service.store.models import Order, OrderNote


def add(order_id: str, text: str, *, author_id: str, author_name: str) -> bool:
    """Store a note; False when the customer's account was deleted. An author who was deleted has no name. Raises UnknownOrder."""
    customer_id = Order.objects.filter(id=order_id).values_list("user_id", flat=True).first()
    if customer_id is None:
        raise UnknownOrder
    with transaction.atomic():
        accounts = customers.hold_all({customer_id, author_id})
        if accounts[customer_id].deleted:
            return False
        name = "" if accounts[author_id].deleted else author_name
        author = str(Actor.staff(author_id))
        OrderNote.objects.create(order_id=order_id, author=author, author_name=name, text=text, at=now())
    return True
