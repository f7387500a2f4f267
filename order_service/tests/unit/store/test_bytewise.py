"""Ids are compared byte by byte, also where the collation of a column ignores spaces at the end."""

import pytest
from django.core.exceptions import EmptyResultSet

from order_service.store.models import CatalogueProduct, Customer, Order, OrderLine, RevocationRow, SentMail

ID = "01K8ZC4M7RXW2Q5T9V3B6H1N0D"


def finds_nothing(found):
    try:
        found.query.get_compiler("default").as_sql()
    except EmptyResultSet:
        return True
    return False


@pytest.mark.parametrize("padded", [f"{ID} ", f"{ID}   ", " "])
def test_an_id_with_spaces_at_its_end_is_no_id(padded):
    for found in (
        Order.objects.filter(id=padded),
        Order.objects.filter(pk=padded),
        Order.objects.filter(user_id=padded),
        Order.objects.filter(id__in=[padded]),
        OrderLine.objects.filter(order_id=padded),
        OrderLine.objects.filter(order=padded),
        OrderLine.objects.filter(order__user_id=padded),
        OrderLine.objects.filter(order_id__in=[padded]),
        CatalogueProduct.objects.filter(product_id__in=[padded], active=True),
        Customer.objects.filter(user_id=padded),
        SentMail.objects.filter(order_id=padded),
    ):
        assert finds_nothing(found)


def test_others_are_looked_for_as_before():
    for found in (
        Order.objects.filter(id=ID),
        Order.objects.filter(id__in=[ID, f"{ID} "]),
        OrderLine.objects.filter(order_id=ID),
        OrderLine.objects.filter(order__in=Order.objects.filter(user_id="u")),
        Order.objects.exclude(id=f"{ID} "),
        Order.objects.filter(username="ann "),  # no id, and its collation is that of the table
        RevocationRow.objects.all(),
    ):
        assert not finds_nothing(found)
