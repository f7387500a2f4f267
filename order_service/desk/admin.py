"""Django imports this module to register the admin pages of the desk.

orders/        the list of orders and the page of an order
operations/    overview, service status, catalogue, outbox and dead events
remote/        products and accounts, which belong to other services
sign_in/       accounts, groups and failed sign-ins
theme.py       colours, links and titles
"""

from django.contrib import admin

from order_service.desk.operations import event_lists
from order_service.desk.orders import order_list
from order_service.desk.sign_in import account_lists

__all__ = ["account_lists", "event_lists", "order_list"]

admin.site.index_title = "Overview"
