from django.db import migrations, models


class Migration(migrations.Migration):
    """Running processes insert rows without the column, so the database has the default."""

    dependencies = [("orders", "0020_kafka_cluster")]

    operations = [
        migrations.AddField(
            model_name="sentmail",
            name="trace_id",
            field=models.CharField(db_default="", max_length=32),
        ),
    ]
