"""The numbers of changes in the feed, and the index of the filter `updatedAfter`. Changes of before get theirs when the feed is read, and so do those of a version of before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0016_outcome_of_mails")]

    operations = [
        migrations.CreateModel(
            name="ChangeFeed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("last_number", models.BigIntegerField()),
            ],
            options={"db_table": "change_feed"},
        ),
        migrations.AddIndex("order", models.Index(fields=["updated_at"], name="orders_by_change")),
        migrations.AddField("orderchange", "number", models.BigIntegerField(null=True, unique=True)),
    ]
