"""The differences between orders and reservations. Running processes of the earlier version need none of it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0018_release_requests")]
    operations = [
        migrations.AddField(
            "Order", "request_id", models.CharField(db_collation="utf8mb4_bin", max_length=26, null=True)
        ),
        migrations.CreateModel(
            name="StockDifference",
            fields=[
                (
                    "order_id",
                    models.CharField(db_collation="utf8mb4_bin", max_length=26, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=10)),
                ("status", models.CharField(max_length=10, null=True)),
                ("ordered", models.JSONField()),
                ("held", models.JSONField()),
                ("found_at", models.DateTimeField()),
                ("asks", models.PositiveSmallIntegerField(default=0)),
            ],
            options={"db_table": "stock_differences"},
        ),
        migrations.CreateModel(
            name="ReconciliationState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("round", models.CharField(db_collation="utf8mb4_bin", max_length=26)),
                ("until", models.CharField(db_collation="utf8mb4_bin", max_length=26, null=True)),
                ("is_whole", models.BooleanField()),
                ("as_of", models.DateTimeField()),
                ("checked_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "reconciliation_state"},
        ),
    ]
