from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="StaffTokens",
            fields=[
                ("key", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("access", models.TextField()),
                ("refresh", models.TextField(null=True)),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "db_table": "desk_tokens",
                "default_permissions": (),
                "indexes": [models.Index(fields=["expires_at"], name="desk_tokens_by_expiry")],
            },
        )
    ]
