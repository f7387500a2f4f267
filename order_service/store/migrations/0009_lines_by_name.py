"""Orders are found by a product's name, too."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("orders", "0008_desk")]

    operations = [migrations.AddIndex("orderline", models.Index(fields=["name", "order"], name="lines_by_name"))]
