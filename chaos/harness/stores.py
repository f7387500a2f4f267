"""What the databases hold, read past the proxies and past the services."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import MySQLdb
import pymongo
from MySQLdb.cursors import DictCursor

from chaos.harness.stack import Stack
from deploy.local.ports import LOOPBACK

Row = dict[str, Any]
VOLATILE = ("worker_states", "relay_lease", "outbox", "sales_periods", "sales_state")
"""Tables that change while nothing happens, or that hold what is on its way. The worker counts the sales minutes later."""


class Stores:
    """The three services' own data."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        client: pymongo.MongoClient[Row] = pymongo.MongoClient(
            LOOPBACK, stack.mongo.proxy.target, directConnection=True, tz_aware=True, timeoutMS=10_000
        )
        self._client = client
        self.admin = client["admin"]
        self.users, self.shelf = client["microshop_user"], client["microshop_product"]

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def sql(self, query: str, values: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query on order_service's database, each on a connection of its own: it may have been restarted."""
        with self.connection() as connection:
            cursor = connection.cursor()
            cursor.execute(query, values)
            return list(cursor.fetchall())

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """A connection to order_service's database."""
        get, port = self._stack.settings.get, self._stack.mysql.proxy.target
        account = {
            "user": get("MYSQL_MIGRATE_USER"),
            "passwd": get("MYSQL_MIGRATE_PASSWORD"),
            "db": get("MYSQL_DATABASE"),
        }
        with closing(
            MySQLdb.connect(host=LOOPBACK, port=port, cursorclass=DictCursor, autocommit=True, **account)
        ) as connection:
            yield connection

    def outbox(self) -> dict[str, int]:
        """Rows that wait for each relay."""
        (orders,) = self.sql("SELECT COUNT(*) AS n FROM outbox")
        return {
            "user": self.users["outbox"].count_documents({}),
            "product": self.shelf["outbox"].count_documents({}),
            "order": int(orders["n"]),
        }

    def orders(self, product_id: str | None = None) -> list[Row]:
        """Orders, of one product when it is named, with `tag`: the name in the address."""
        lines = "WHERE o.id IN (SELECT order_id FROM order_lines WHERE product_id = %s)" if product_id else ""
        rows = self.sql(f"SELECT o.* FROM orders o {lines} ORDER BY o.id", [product_id] if product_id else [])
        for row in rows:
            address = json.loads(row["shipping_address"] or "null")
            row["tag"] = address["name"] if address else None
        return rows

    def round_seconds(self) -> float:
        """How long a round of comparisons may take. product_service publishes a page of 500 reservations every two seconds."""
        return 60 + 2 * 2 * self.shelf["reservations"].count_documents({"state": "RESERVED"}) / 500

    def pending(self) -> int:
        """Orders that nobody has decided."""
        return int(self.sql("SELECT COUNT(*) AS n FROM orders WHERE status = 'pending'")[0]["n"])

    def open_cancellations(self) -> int:
        """Cancelled orders whose stock product_service has not confirmed as released."""
        return int(self.sql("SELECT COUNT(*) AS n FROM release_requests")[0]["n"])

    def fingerprint(self) -> dict[str, str]:
        """A hash of the content of each table and collection that holds effects."""
        tables = [row[next(iter(row))] for row in self.sql("SHOW TABLES")]
        prints = {name: _hash(self.sql(f"SELECT * FROM `{name}`")) for name in tables if name not in VOLATILE}
        for database in (self.users, self.shelf):
            for name in database.list_collection_names():
                if name not in VOLATILE:
                    prints[f"{database.name}.{name}"] = _hash(
                        list(database[name].find({}, {"claim": 0}))
                    )  # each reading of an order claims
        return prints


def _hash(rows: Sequence[Row]) -> str:
    lines = sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
