"""When a reservation request was published last: an order is cancelled for its age only after that."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0011_reservation_requests")]
    operations = [
        migrations.AddField("ReservationRequest", "last_published_at", models.DateTimeField(null=True)),
    ]
