"""Indexes that are made when all rows are there: a sort takes less time than a million inserts at random places.

MySQL's are noted in a file first. So a run that was killed leaves their names behind, and the next one makes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from MySQLdb.connections import Connection

Indexes = dict[str, dict[str, list[str]]]
"""Table → index → columns."""


@contextmanager
def mysql_indexes(connection: Connection, tables: Mapping[str, Sequence[str]], note: Path) -> Iterator[None]:
    """Drop these indexes, none of which is unique, and make them again at the end of the block, however it ends."""
    found = _read(connection, tables)
    note.write_text(json.dumps(found))
    try:
        for table, indexes in found.items():
            _alter(connection, table, [f"DROP INDEX `{name}`" for name in indexes])
        yield
    finally:
        restore(connection, note)


def restore(connection: Connection, note: Path) -> bool:
    """Make those of the noted indexes that are missing. False when nothing is noted."""
    if not note.exists():
        return False
    wanted: Indexes = json.loads(note.read_text())
    there = _read(connection, wanted)
    for table, indexes in wanted.items():
        missing = {name: columns for name, columns in indexes.items() if name not in there[table]}
        _alter(
            connection, table, [f"ADD INDEX `{name}` (`{'`, `'.join(columns)}`)" for name, columns in missing.items()]
        )
    note.unlink()
    return True


def _read(connection: Connection, tables: Mapping[str, Sequence[str] | Mapping[str, Any]]) -> Indexes:
    """The columns of those of these indexes that exist."""
    found: Indexes = {table: {} for table in tables}
    with connection.cursor() as cursor:
        for table, names in tables.items():
            cursor.execute(
                "SELECT index_name, column_name FROM information_schema.statistics WHERE table_schema = DATABASE() "
                "AND table_name = %s AND index_name IN %s ORDER BY index_name, seq_in_index",
                [table, tuple(names)],
            )
            for name, column in cursor.fetchall():
                found[table].setdefault(name, []).append(column)
    return found


def _alter(connection: Connection, table: str, changes: Sequence[str]) -> None:
    if changes:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE `{table}` {', '.join(changes)}")


@contextmanager
def mongo_indexes(collection: Any, names: Sequence[str]) -> Iterator[None]:
    """As `mysql_indexes`. Without a note: the command `indexes` of each service makes them at every start, too."""
    known = collection.index_information()
    found = {name: known[name]["key"] for name in names if name in known}
    try:
        for name in found:
            collection.drop_index(name)
        yield
    finally:
        for name, key in found.items():
            collection.create_index(key, name=name)
