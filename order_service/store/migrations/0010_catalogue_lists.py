"""What the desk's list of the catalogue sorts and filters by."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("orders", "0009_lines_by_name")]

    operations = [
        migrations.AddIndex("catalogueproduct", models.Index(fields=["name"], name="catalogue_by_name")),
        migrations.AddIndex("catalogueproduct", models.Index(fields=["active"], name="catalogue_by_active")),
    ]
