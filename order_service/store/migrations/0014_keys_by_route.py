"""An Idempotency-Key belongs to a user and a route. The keys of before, and those of a running process of before, are of POST /orders."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0013_known_customers")]

    operations = [
        migrations.AddField(
            "idempotencykey",
            "route",
            models.CharField(db_collation="utf8mb4_bin", db_default="POST /orders", max_length=64),
        ),
        migrations.AddField(
            "idempotencykey", "order_id", models.CharField(db_collation="utf8mb4_bin", max_length=26, null=True)
        ),
        migrations.AddIndex("idempotencykey", models.Index(fields=["order_id"], name="idempotency_keys_of_order")),
        migrations.AddConstraint(
            "idempotencykey",
            models.UniqueConstraint(fields=["user_id", "route", "key"], name="key_of_user_and_route"),
        ),
        migrations.RemoveConstraint("idempotencykey", "key_of_user"),
    ]
