"""What the desk needs: its groups see notes and sent mails, and orders are found by product.

Groups first: MySQL can't take back a change of tables, so what may be done twice without harm comes before what may not, and each index of a large table is
a migration of its own.
"""

from django.contrib.auth.management import create_permissions
from django.db import migrations, models

VIEWER = ("view_ordernote", "view_sentmail")
STAFF = (*VIEWER, "add_ordernote")
GROUPS = {"viewer": VIEWER, "staff": STAFF, "admin": STAFF}
"""Beside what 0005_roles gave them."""


def extend_groups(apps, schema_editor):
    config = apps.get_app_config("orders")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="orders")
    for name, codenames in GROUPS.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        group.permissions.add(*permissions.filter(codename__in=codenames))


class Migration(migrations.Migration):

    dependencies = [("orders", "0007_mail_requests")]

    operations = [
        migrations.RunPython(extend_groups, migrations.RunPython.noop),
        migrations.AddIndex("orderline", models.Index(fields=["product_id", "order"], name="lines_of_product")),
    ]
