from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("desk", "0001_staff_tokens")]

    operations = [
        migrations.AddField(
            model_name="stafftokens",
            name="user_id",
            field=models.CharField(db_collation="utf8mb4_bin", db_default="", max_length=64),
        ),
        migrations.AddIndex(
            model_name="stafftokens", index=models.Index(fields=["user_id"], name="desk_tokens_of_user")
        ),
    ]
