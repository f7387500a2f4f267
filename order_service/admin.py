"""Django's entry to the admin pages: importing the modules of desk/ registers them.

orders.py       the list of orders, and their actions
order_page.py   the page of one order
machinery.py    catalogue, outbox, dead events
people.py       accounts, groups, failed sign-ins
dashboard.py    the first page
look.py         colours, links, titles
"""

from django.contrib import admin

from order_service.desk import machinery, orders, people

__all__ = ["machinery", "orders", "people"]

admin.site.index_title = "Overview"
