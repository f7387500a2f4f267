"""The real servers for the tests, started when the first test asks and ended with the run.

They run through the same code as `make up`. A killed test run takes them along: each dies with its parent.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import MySQLdb
import pytest
from confluent_kafka.admin import AdminClient

from deploy.local.errors import LocalError, NotReady
from deploy.local.ports import LOOPBACK
from deploy.local.servers import Server
from deploy.local.servers.kafka import Kafka
from deploy.local.servers.mongo import Mongo
from deploy.local.servers.mysql import MySQL
from deploy.local.state import ROOT, State
from deploy.local.supervision.waiting import until_ready
from tests.shop import Shop, make_shop
from tests.span_sink import SpanSink, collecting

READY_SECONDS = 60
BROKERS = pytest.StashKey[str]()
"""The address of the run's broker, while there is one."""


@pytest.fixture(scope="session")
def server_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """The directory of this run's servers. Their data goes with the run, their logs stay with pytest's own files."""
    state = State(tmp_path_factory.mktemp("servers"))
    state.make()
    yield state
    shutil.rmtree(state.data)
    shutil.rmtree(state.run)


@pytest.fixture(scope="session")
def mysql(server_state: State) -> Iterator[MySQL]:
    """The MySQL server that MYSQL_* name. Tests of order_service use it through pytest-django."""
    database = os.environ["MYSQL_DATABASE"]
    server = MySQL(
        state=server_state,
        port=int(os.environ["MYSQL_PORT"]),
        databases=(database, f"test_{database}"),
        user=os.environ["MYSQL_USER"],
        password=os.environ["MYSQL_PASSWORD"],
        root_password=os.environ["MYSQL_ROOT_PASSWORD"],
    )
    with given(server) if "TEST_MYSQL" in os.environ else running(server, server_state):
        yield server


@pytest.fixture(scope="session")
def mongo(server_state: State) -> Iterator[str]:
    """The address of the MongoDB server that MONGO_URI names: use a database of your own there."""
    uri = os.environ["MONGO_URI"]
    port = int(uri.removeprefix("mongodb://").partition("/")[0].rpartition(":")[2])
    with running(Mongo(server_state, port), server_state):
        yield uri


@pytest.fixture(scope="session")
def kafka(server_state: State, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of the broker that KAFKA_BROKERS names. Each test module finds it without topics."""
    brokers = os.environ["KAFKA_BROKERS"]
    port = int(brokers.rpartition(":")[2])
    with running(Kafka(server_state, port, int(os.environ["KAFKA_CONTROLLER_PORT"])), server_state):
        request.config.stash[BROKERS] = brokers
        yield brokers
        del request.config.stash[BROKERS]


@pytest.fixture(scope="module", autouse=True)
def _no_topics_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """The services share topics: what the tests of one publish must not be input of the next one's."""
    yield
    brokers = request.config.stash.get(BROKERS, None)
    if brokers:
        delete_topics(brokers)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(mysql: MySQL) -> None:
    """pytest-django asks for this one before it makes the test database: so the server runs by then."""


@pytest.fixture(scope="session")
def span_sink() -> Iterator[SpanSink]:
    """The collector of all traces of the shop."""
    with collecting() as sink:
        yield sink


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, span_sink: SpanSink) -> Iterator[Shop]:
    """The whole shop, as `make up` starts it, beside any other that runs on this machine. All its traces are recorded."""
    traces = {"OTEL_EXPORTER_ZIPKIN_ENDPOINT": span_sink.endpoint, "OTEL_TRACES_SAMPLER_ARG": "1"}
    shop = make_shop(tmp_path_factory.mktemp("shop"), UNVERIFIED_OPEN_PIECES="off", **traces)
    try:
        done = shop.command("up")
        if done.returncode:
            pytest.fail(f"the shop does not start:\n{done.stdout}{done.stderr}", pytrace=False)
        yield shop
    finally:
        shop.command("down")
        shutil.rmtree(shop.state.data, ignore_errors=True)


@contextmanager
def given(server: MySQL) -> Iterator[None]:
    """A server that was started elsewhere. Only our database is created and dropped there."""
    place = {"host": LOOPBACK, "port": server.port, "user": server.user, "password": server.password}
    with closing(MySQLdb.connect(**place)) as connection:
        connection.query(f"CREATE DATABASE IF NOT EXISTS {server.databases[0]} CHARACTER SET utf8mb4")
    yield
    with closing(MySQLdb.connect(**place)) as connection:
        connection.query(f"DROP DATABASE {server.databases[0]}")


@contextmanager
def running(server: Server, state: State) -> Iterator[None]:
    """Run a server while the block lasts. Raises NotReady with the end of its log when it does not come up."""
    server.prepare()
    process = server.process()
    process.write_plan(state)
    log = state.log / f"{process.name}.log"
    launch = (
        sys.executable,
        "-m",
        "deploy.local.supervision.launch",
        str(state.path),
        process.name,
        "--die-with-parent",
    )
    with log.open("ab") as output:
        child = subprocess.Popen(launch, cwd=ROOT, stdout=output, stderr=output, start_new_session=True)
    try:
        _wait(server, child, log)
        yield
    finally:
        child.terminate()
        try:
            child.wait(process.stop_seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait(server: Server, child: subprocess.Popen[bytes], log: Path) -> None:
    def check() -> None:
        if child.poll() is not None:
            raise LocalError(f"{server.name} ended with status {child.returncode}")
        server.check()

    try:
        until_ready(check, READY_SECONDS)
    except LocalError as error:
        pytest.fail(f"{error}\n{log.read_text(errors='replace')[-2000:]}", pytrace=False)


def delete_topics(brokers: str) -> None:
    """Delete all topics but the broker's own, with the offsets that groups have in them."""
    admin = AdminClient({"bootstrap.servers": brokers})

    def delete() -> None:
        left = [name for name in admin.list_topics(timeout=10).topics if not name.startswith("__")]
        if left:
            for done in admin.delete_topics(left).values():
                done.exception(10)  # one that is already deleted is as good
            raise NotReady(f"the broker still has {len(left)} topics")

    until_ready(delete, READY_SECONDS)


@pytest.fixture(autouse=True)
def _no_network_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test that opens a connection is none: it fails here, and not on another machine."""
    if request.node.get_closest_marker("unit"):
        connect = socket.socket.connect

        def refuse(self: socket.socket, address: Any) -> None:
            if self.family == socket.AF_UNIX:
                return connect(self, address)
            self.close()  # a client of an earlier test may call in its own thread, and leaves the socket open
            raise AssertionError(f"a unit test connects to {address}")

        monkeypatch.setattr(socket.socket, "connect", refuse)
