"""Django's entry to the admin pages: importing a module of the desk registers its pages.

orders/        the list of orders, and the page of one
operations/    overview, services, catalogue, outbox and dead events
remote/        products and accounts, which other services keep
sign_in/       accounts, groups and failed sign-ins
theme.py       colours, links and titles
"""

from django.contrib import admin

from order_service.desk.operations import event_lists
from order_service.desk.orders import order_list
from order_service.desk.sign_in import account_lists

__all__ = ["account_lists", "event_lists", "order_list"]

admin.site.index_title = "Overview"
