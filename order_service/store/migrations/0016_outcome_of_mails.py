from django.db import migrations, models


class Migration(migrations.Migration):
    """Running processes insert rows without the column, so the database has the default."""

    dependencies = [("orders", "0015_last_publication")]

    operations = [
        migrations.AddField(
            model_name="sentmail",
            name="outcome",
            field=models.CharField(db_default="sent", max_length=32),
        ),
    ]
