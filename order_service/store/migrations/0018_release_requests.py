"""The cancellations that product_service has not replied to yet. Running processes of the earlier version add no rows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0017_change_feed")]
    operations = [
        migrations.CreateModel(
            name="ReleaseRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event_id", models.CharField(db_collation="utf8mb4_bin", max_length=26, unique=True)),
                ("topic", models.CharField(max_length=120)),
                ("aggregate_id", models.CharField(db_collation="utf8mb4_bin", max_length=64)),
                ("sequence", models.PositiveIntegerField()),
                ("payload", models.TextField()),
                ("headers", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("resend_at", models.DateTimeField(null=True)),
                ("resends", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "db_table": "release_requests",
                "indexes": [models.Index(fields=["resend_at"], name="release_requests_to_resend")],
                "constraints": [models.UniqueConstraint(fields=("aggregate_id",), name="release_of_order")],
            },
        ),
    ]
