"""The tables of the sales figures: counts that the worker keeps, so that no page counts orders."""

from django.db import models


class SalesPeriod(models.Model):
    """The orders that were placed in a quarter of an hour and have one status and currency now."""

    starts_at = models.DateTimeField()
    status = models.CharField(max_length=10)
    currency = models.CharField(max_length=3)
    orders = models.PositiveIntegerField()
    amount = models.DecimalField(max_digits=20, decimal_places=2)

    class Meta:
        db_table = "sales_periods"
        constraints = [models.UniqueConstraint(fields=["starts_at", "status", "currency"], name="sales_of_period")]


class SalesState(models.Model):
    """One row. `counted_until`: all changes of orders up to this time are counted. `counted_from`: so are all orders from it on."""

    counted_until = models.DateTimeField()
    counted_from = models.DateTimeField()

    class Meta:
        db_table = "sales_state"
