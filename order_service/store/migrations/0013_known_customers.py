"""A row of `customers` for each account that has orders. The worker asks user_service for the addresses.

An account counts as deleted when all its orders are erased. One that was deleted while it ordered has an order that is not: the reply
of user_service is user-deleted, which erases it.
"""

from django.db import migrations

FILL = """
INSERT IGNORE INTO customers (user_id, deleted, asks, ask_at)
SELECT user_id, MIN(is_erased), 0, IF(MIN(is_erased) OR user_id NOT REGEXP '^[0-9a-f]{24}$', NULL, UTC_TIMESTAMP(6))
FROM (SELECT user_id, BINARY username = BINARY CONCAT('gone-', user_id) AS is_erased FROM orders) AS owners
GROUP BY user_id
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0012_customers")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
