"""The Kafka cluster that the service knows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0019_reconciliation")]
    operations = [
        migrations.CreateModel(
            name="KafkaCluster",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("cluster_id", models.CharField(db_collation="utf8mb4_bin", max_length=64)),
            ],
            options={"db_table": "kafka_cluster"},
        ),
    ]
