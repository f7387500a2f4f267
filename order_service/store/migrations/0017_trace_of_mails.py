from django.db import migrations, models


class Migration(migrations.Migration):
    """Running processes insert rows without the column, so the database has the default."""

    dependencies = [("orders", "0016_outcome_of_mails")]

    operations = [
        migrations.AddField(
            model_name="sentmail",
            name="trace_id",
            field=models.CharField(db_default="", max_length=32),
        ),
    ]
