"""The accounts that order, the address of each order as its token had it, and why stock rejected an order."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0011_reservation_requests")]

    operations = [
        migrations.CreateModel(
            name="Customer",
            fields=[
                (
                    "user_id",
                    models.CharField(db_collation="utf8mb4_bin", max_length=64, primary_key=True, serialize=False),
                ),
                ("deleted", models.BooleanField(default=False)),
                ("email", models.CharField(max_length=254, null=True)),
                ("email_verified", models.BooleanField(null=True)),
                ("email_at", models.DateTimeField(null=True)),
                ("ask_at", models.DateTimeField(null=True)),
                ("asks", models.PositiveIntegerField(default=0)),
            ],
            options={
                "db_table": "customers",
                "indexes": [models.Index(fields=["ask_at"], name="customers_to_ask")],
            },
        ),
        migrations.AddField("order", "email_at", models.DateTimeField(null=True)),
        migrations.AddField("order", "email_verified", models.BooleanField(null=True)),
        migrations.AddField("order", "rejection", models.JSONField(null=True)),
        migrations.AddField(
            "order",
            "account",
            models.ForeignObject(
                from_fields=["user_id"],
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="orders.customer",
                to_fields=["user_id"],
            ),
        ),
    ]
