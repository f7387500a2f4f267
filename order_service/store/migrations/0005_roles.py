"""A group for each role of user_service, with what the role may do at the desk. Sign-ins put accounts into them."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

ORDERS = ("order", "orderline", "orderchange", "catalogueproduct", "outbox", "outboxdead")
VIEWER = {("orders", f"view_{model}") for model in ORDERS}
GROUPS = {
    "viewer": VIEWER,
    "staff": VIEWER | {("orders", "change_order")},
    "admin": VIEWER | {("orders", "change_order"), ("auth", "view_user"), ("auth", "view_group")}
    | {("axes", "view_accessattempt"), ("axes", "delete_accessattempt")},  # to let somebody in again
}


def make_groups(apps, schema_editor):
    for label in ("orders", "auth", "axes"):  # Django makes permissions only when all migrations are done
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects
    for name, wanted in GROUPS.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        group.permissions.set([permissions.get(content_type__app_label=app, codename=code) for app, code in wanted])


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0004_revocations"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("axes", "0010_accessattemptexpiration"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
