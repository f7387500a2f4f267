"""The two writers, MySQL's and MongoDB's, each in a process of its own: one core each, and no row passes between them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import MySQLdb
import pymongo
from MySQLdb.connections import Connection
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from deploy.local.errors import LocalError
from deploy.local.ports import LOOPBACK
from deploy.seeding import account_documents, order_tables, put_off, stock_documents, story
from deploy.seeding.story import Size

TIMEOUT_SECONDS = 5
INDEXES, WRITTEN = "making the indexes", "written"


@dataclass(frozen=True)
class Stores:
    """Where the databases are. `login`: of the account that may change tables. `note`: see put_off.py."""

    mysql_port: int
    database: str
    login: tuple[str, str]
    products_uri: str
    users_uri: str
    note: Path

    def connect(self) -> Connection:
        """A connection to MySQL. Raises LocalError when it does not answer."""
        user, password = self.login
        place = {"host": LOOPBACK, "port": self.mysql_port, "database": self.database, "charset": "utf8mb4"}
        try:
            return MySQLdb.connect(user=user, password=password, connect_timeout=TIMEOUT_SECONDS, **place)
        except MySQLdb.OperationalError as error:
            raise LocalError(f"the shop is not up (mysql: {error.args[-1]}): `make up` starts it") from None


@dataclass(frozen=True)
class News:
    """What a writer reports: rows that are new, or what it does now, or why it failed."""

    writer: str
    rows: int = 0
    text: str = ""
    error: str = ""


def require_room(stores: Stores) -> None:
    """Complete what a killed run left. Raises LocalError when the shop is not up, or holds the rows of an earlier run."""
    connection = stores.connect()
    try:
        put_off.restore(connection, stores.note)
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT 1 FROM customers WHERE email = %s)", [story.customer_email(0)])
            found = bool(cursor.fetchone()[0])
    finally:
        connection.close()  # type: ignore[no-untyped-call] # the stubs leave it out
    try:
        with _mongo(stores.users_uri) as accounts:
            found = found or accounts["users"].find_one({"username_key": story.customer_name(0)}) is not None
    except PyMongoError:
        raise LocalError("the shop is not up (mongo does not answer): `make up` starts it") from None
    if found:
        raise LocalError("the shop has such orders already, or a part of them: `make reset` deletes all data")


def run(stores: Stores, size: Size, report: Callable[[News], None]) -> None:
    """Write everything; `report` gets the news. Raises LocalError when a writer fails. An interrupt ends both."""
    context = multiprocessing.get_context("spawn")
    news: Queue[News] = context.Queue()
    processes = [
        context.Process(target=_work, args=(name, stores, size, news), name=name) for name in ("MySQL", "MongoDB")
    ]
    for process in processes:
        process.start()
    try:
        left = {process.name for process in processes}
        while left:
            one = news.get()
            report(one)
            if one.error:
                raise LocalError(f"{one.writer}: {one.error}. `make reset` deletes what is there")
            if one.text == WRITTEN:
                left.remove(one.writer)
    except BaseException:
        for process in processes:
            if process.is_alive() and process.pid:
                os.kill(process.pid, signal.SIGINT)  # a writer makes its indexes first
        raise
    finally:
        for process in processes:
            process.join()


def _work(name: str, stores: Stores, size: Size, news: Queue[News]) -> None:
    """The life of a writer."""
    try:
        (_write_mysql if name == "MySQL" else _write_mongo)(
            stores, size, lambda rows: news.put(News(name, rows)), lambda: news.put(News(name, text=INDEXES))
        )
        news.put(News(name, text=WRITTEN))
    except KeyboardInterrupt:
        pass
    except Exception as error:
        news.put(News(name, error=f"{type(error).__name__} {error}"[:300]))


def _write_mysql(stores: Stores, size: Size, done: Callable[[int], None], making: Callable[[], None]) -> None:
    connection = stores.connect()
    try:
        with put_off.mysql_indexes(connection, order_tables.INDEXES, stores.note):
            order_tables.write(connection, size, done)
            making()
        order_tables.analyse(connection)
    finally:
        connection.close()  # type: ignore[no-untyped-call]


def _write_mongo(stores: Stores, size: Size, done: Callable[[int], None], making: Callable[[], None]) -> None:
    with _mongo(stores.users_uri) as accounts:
        account_documents.write(accounts, size, done)
    with _mongo(stores.products_uri) as stock, ExitStack() as put:
        for name, indexes in stock_documents.INDEXES.items():
            put.enter_context(put_off.mongo_indexes(stock[name], indexes))
        stock_documents.write(stock, size, done)
        making()


@contextmanager
def _mongo(uri: str) -> Iterator[Any]:
    """The database that a URI names. A write is done when the server has it: a crash of the machine means to begin anew."""
    client: MongoClient[dict[str, Any]] = pymongo.MongoClient(
        uri, tz_aware=True, serverSelectionTimeoutMS=TIMEOUT_SECONDS * 1000
    )
    with client:
        yield client.get_default_database(write_concern=WriteConcern(w=1, j=False))
