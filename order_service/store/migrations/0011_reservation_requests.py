"""Names of classes and attributes only: tables and columns stay."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0010_catalogue_lists")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex("PendingOrder", "pending_orders_to_ask"),
                migrations.RenameModel("PendingOrder", "ReservationRequest"),
                migrations.RenameField("ReservationRequest", "ask_at", "resend_at"),
                migrations.AlterField(
                    "ReservationRequest", "resend_at", models.DateTimeField(null=True, db_column="ask_at")
                ),
                migrations.RenameField("ReservationRequest", "asks", "resends"),
                migrations.AlterField(
                    "ReservationRequest", "resends", models.PositiveSmallIntegerField(default=0, db_column="asks")
                ),
                migrations.AddIndex(
                    "ReservationRequest", models.Index(fields=["resend_at"], name="pending_orders_to_ask")
                ),
                migrations.RenameField("CatalogueState", "ends", "end_offsets"),
                migrations.AlterField("CatalogueState", "end_offsets", models.JSONField(db_column="ends")),
            ]
        )
    ]
