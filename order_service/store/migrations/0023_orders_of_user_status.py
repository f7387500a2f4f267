"""The index of a customer's orders of one status."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0022_sales_figures")]

    operations = [
        migrations.AddIndex("order", models.Index(fields=["user_id", "status", "id"], name="orders_of_user_status")),
    ]
