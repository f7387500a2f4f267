"""The figures of the desk's first page. The worker counts the orders of the last 31 days after the migration, in steps."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0021_trace_of_mails")]

    operations = [
        migrations.CreateModel(
            name="SalesPeriod",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_at", models.DateTimeField()),
                ("status", models.CharField(max_length=10)),
                ("currency", models.CharField(max_length=3)),
                ("orders", models.PositiveIntegerField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=20)),
            ],
            options={"db_table": "sales_periods"},
        ),
        migrations.CreateModel(
            name="SalesState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("counted_until", models.DateTimeField()),
                ("counted_from", models.DateTimeField()),
            ],
            options={"db_table": "sales_state"},
        ),
        migrations.AddConstraint(
            model_name="salesperiod",
            constraint=models.UniqueConstraint(fields=("starts_at", "status", "currency"), name="sales_of_period"),
        ),
    ]
