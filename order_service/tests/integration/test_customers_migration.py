"""The rows of `customers` that an upgrade makes for the accounts that have orders."""

import importlib

import pytest
from django.db import connection

from order_service.store.models import Customer, Order
from order_service.tests.integration.test_erasing import take
from order_service.use_cases.customers.request_addresses import request_addresses

pytestmark = pytest.mark.django_db

FILL = importlib.import_module("order_service.store.migrations.0013_known_customers").FILL


def test_accounts_are_asked_for_and_those_whose_orders_are_all_erased_are_marked(make_caller, place):
    active, deleted, late = make_caller(), make_caller(), make_caller()
    for caller in (active, deleted, late):
        place(caller)
        place(caller)
    for caller in (deleted, late):
        take("user-deleted", caller.user_id, id=caller.user_id, deletedAt="2026-01-31T12:00:00.000Z")
    left = Order.objects.filter(user_id=late.user_id).first()
    Order.objects.filter(pk=left.pk).update(username="ann", user_email="ann@example.com")
    local = place(make_caller())
    Order.objects.filter(pk=local).update(user_id="customer-7")
    Customer.objects.all().delete()
    with connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute(FILL)
    rows = {row.user_id: (row.deleted, row.email, row.ask_at is not None) for row in Customer.objects.all()}
    assert rows == {
        active.user_id: (False, None, True),
        deleted.user_id: (True, None, False),
        late.user_id: (False, None, True),
        "customer-7": (False, None, False),
    }
    assert request_addresses() == 2
