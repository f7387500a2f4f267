"""SQL text for the statements of busy routes: Django's ORM takes longer to make such a statement than the server to execute it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db import connection, models

from libs.runtime.telemetry.database_waits import WAITS

Statement = tuple[str, list[Any]]
"""SQL and its parameters. A parameter has a type of MySQL's driver: times come from `as_stored`, members of an enum are texts."""


def insert(table: type[models.Model], rows: Sequence[Mapping[str, object]]) -> Statement:
    """One INSERT of several rows with the same columns, by their names in the database. Null columns may be left out."""
    columns = tuple(rows[0])
    return _insert_text(table._meta.db_table, columns, len(rows)), [row[name] for row in rows for name in columns]


@cache
def _insert_text(table: str, columns: tuple[str, ...], count: int) -> str:
    places = f"({', '.join(['%s'] * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([places] * count)}"


def as_stored(moment: datetime) -> datetime:
    """A time as the driver writes it into a column: UTC, without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def execute_all(statements: Sequence[Statement]) -> None:
    """Execute statements that return no rows, one after the other and in one round trip.

    Raises the error of the first one that fails. Call it in a transaction: the statements before that one have been executed.
    """
    parameters = [value for _, values in statements for value in values]
    with connection.cursor() as cursor:
        cursor.execute(";\n".join(text for text, _ in statements), parameters)
        with WAITS.waiting():
            while cursor.nextset():
                pass


def fetch_all(text: str, parameters: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
    """The rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
        return rows
