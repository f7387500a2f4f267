"""How the database executes a query, read from EXPLAIN."""

from typing import Any

from django.db import connection


def explain(sql: str) -> list[dict[str, Any]]:
    """A row for each table of the query: `table`, `type`, `key`, `rows`, `Extra` and others.

    MySQL 8.4 and MariaDB answer a plain EXPLAIN with these rows. MySQL 9 answers with a tree, so the format is named.
    """
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN FORMAT=TRADITIONAL " + sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
