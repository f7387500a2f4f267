"""The lines of an order as JSON in its row, for reads. Orders that are there keep null: their lines are read from the table of lines."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0023_orders_of_user_status")]

    operations = [migrations.AddField("order", "items", models.TextField(null=True, editable=False))]
