"""The shop as `docker compose up` starts it: it works, is shut off, and gets up again."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import MySQLdb
import pytest

from deploy.local.errors import LocalError, NotReady
from deploy.local.state import ROOT
from deploy.tests.containers import JOBS, OURS, Containers, docker
from deploy.tests.versions import mysql_connection
from tests.e2e.conftest import Town, wait_for
from tests.e2e.test_accounts import (  # noqa: F401 -- likewise
    test_a_customer_takes_all_data_along,
    test_who_forgot_the_password_gets_in_again_by_mail,
)
from tests.e2e.test_desk import browser, test_staff_sign_in_to_the_desk_and_a_disabled_account_is_signed_out  # noqa: F401 -- likewise
from tests.e2e.test_journeys import (  # noqa: F401 -- run here on the containers
    test_a_customer_registers_orders_and_hears_of_each_step,
    test_a_new_price_reaches_the_next_order_and_a_withdrawn_product_none,
    test_an_order_takes_the_stock_and_a_cancellation_gives_it_back,
    test_what_is_not_there_can_not_be_had,
    test_with_kafka_frozen_everybody_is_served_and_the_events_follow_later,
)

SERVERS = ("kafka", "mongo", "mysql", "mail")
PORTS = ("USER_SERVICE_PORT", "PRODUCT_SERVICE_PORT", "ORDER_SERVICE_PORT", "NOTIFICATION_SERVICE_PORT")
PORTS += (
    "KAFKA_PUBLISHED_PORT",
    "MONGO_PUBLISHED_PORT",
    "MYSQL_PUBLISHED_PORT",
    "SMTP_PUBLISHED_PORT",
    "MAIL_PAGE_PORT",
)
RECOVERY_SECONDS = 120.0
WORDS = "the server refuses the login"


@pytest.fixture(scope="module")
def shop(bring_up: Callable[[Containers], Containers], directory: Path) -> Containers:
    return bring_up(Containers(directory, "default"))


def test_every_job_has_ended_well(shop: Containers) -> None:
    for name in JOBS:
        state = shop.inspect(name)["State"]
        assert (state["Status"], state["ExitCode"]) == ("exited", 0), name


@pytest.mark.parametrize("name", OURS)
def test_our_processes_have_no_rights_and_write_nowhere(shop: Containers, name: str) -> None:
    assert shop.execute(name, "id", "-u").stdout.strip() == "10001"
    assert shop.execute(name, "sh", "-c", "touch /app/x", check=False).returncode
    assert shop.execute(name, "sh", "-c", "touch /venv/x", check=False).returncode
    assert shop.execute(name, "sh", "-c", "touch /tmp/x && rm /tmp/x").returncode == 0
    capabilities = shop.execute(name, "grep", "Cap", "/proc/1/status").stdout
    assert {line.split()[1] for line in capabilities.splitlines()} == {"0" * 16}


@pytest.mark.parametrize("name", ["user-web", "product-web", "order-web", "notification"])
def test_an_image_has_no_build_tools_and_says_what_it_is(shop: Containers, name: str) -> None:
    assert shop.execute(name, "sh", "-c", "command -v gcc make pkg-config", check=False).stdout == ""
    assert shop.execute(name, "python", "-m", "pip", "--version", check=False).returncode
    labels = shop.inspect(name)["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == "0.1.0"
    assert labels["org.opencontainers.image.title"].startswith("MicroShop ")


def test_only_the_documented_ports_are_published_on_loopback(shop: Containers) -> None:
    found = set()
    for name in shop.ids():
        for bindings in shop.inspect(name)["NetworkSettings"]["Ports"].values():
            found |= {(each["HostIp"], int(each["HostPort"])) for each in bindings or []}
    assert found == {("127.0.0.1", int(shop.env[variable])) for variable in PORTS}


def test_workers_can_not_reach_the_world_and_their_servers_can_be_reached_by_name(shop: Containers) -> None:
    code = "import socket; socket.create_connection(('kafka', 9092), 5); socket.create_connection(('mongo', 27017), 5)"
    assert shop.execute("user-worker", "python", "-c", code).returncode == 0
    for name in ("user-worker", "product-worker", "order-worker"):
        for network in shop.inspect(name)["NetworkSettings"]["Networks"]:
            assert docker("network", "inspect", "--format", "{{.Internal}}", network).stdout.strip() == "true"


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_may_do_little(shop: Containers, name: str) -> None:
    host = shop.inspect(name)["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["PidsLimit"] == 1024


@pytest.mark.parametrize("name", [*SERVERS, *OURS])
def test_a_killed_container_comes_back_and_nothing_is_lost(shop: Containers, town: Town, name: str) -> None:
    ada, staff = wait_for(lambda: answered(lambda: (town.customer(), town.staff())), "people", RECOVERY_SECONDS)
    lamp = town.product(staff, stock=10)
    first = ada.order(lamp, quantity=2)
    before = shop.inspect(name)["State"]["StartedAt"]
    shop.kill(name)
    wait_for(lambda: shop.inspect(name)["State"]["StartedAt"] != before, "restart", RECOVERY_SECONDS)
    wait_for(lambda: serves(shop, town), f"service after the end of {name}", RECOVERY_SECONDS)
    second = ada.order(lamp, quantity=3)
    for order in (first, second):
        confirmed = lambda order=order: ada.status_of(order) == "confirmed"  # noqa: E731
        wait_for(lambda look=confirmed: answered(look), "confirmed", RECOVERY_SECONDS)
        wait_for(lambda order=order: mails(town, ada.email, f"#{order['id']} is reserved"), "mail", RECOVERY_SECONDS)
        assert len(mails(town, ada.email, f"#{order['id']} is reserved")) == 1
    assert staff.call("product", "GET", f"/products/{lamp['id']}").json["stock"] == 5


def serves(shop: Containers, town: Town) -> bool:
    """Whether every service says that it is ready, and somebody can register and log in."""
    return answered(lambda: shop.wait_ready(0) or town.customer()) is not None


def answered(look: Callable[[], Any]) -> Any:
    """What `look` finds; None while it is not answered, or not as it should be."""
    try:
        return look()
    except (NotReady, AssertionError):
        return None


def mails(town: Town, recipient: str, subject: str) -> list[str]:
    try:
        return [mail.message_id for mail in town.mailbox.find(recipient) if subject in mail.subject]
    except LocalError:
        return []


def test_after_all_of_that_the_stock_is_right_and_every_process_is_healthy(shop: Containers) -> None:
    checked = shop.execute("product-worker", "python", "-m", "product_service", "check-stock")
    assert checked.returncode == 0
    checks = {name: "Health" in shop.inspect(name)["State"] for name in (*SERVERS, *OURS)}
    for name in (name for name, has_check in checks.items() if has_check):
        wait_for(lambda name=name: shop.inspect(name)["State"]["Health"]["Status"] == "healthy", name, RECOVERY_SECONDS)


def test_everybody_stays_within_its_memory(shop: Containers) -> None:
    for name, identity in shop.ids().items():
        assert not shop.inspect(name)["State"]["OOMKilled"], name
        used = docker("stats", "--no-stream", "--format", "{{.MemPerc}}", identity).stdout.strip().rstrip("%")
        assert 0 < float(used) < 85, name


def test_a_stop_is_quick_and_clean(shop: Containers) -> None:
    for name in ("user-web", "order-worker"):
        began = time.monotonic()
        shop.compose("stop", name)
        assert time.monotonic() - began < 30
        assert shop.inspect(name)["State"]["ExitCode"] == 0
        shop.compose("start", name)
    shop.wait_ready()


@pytest.mark.parametrize(
    ("name", "variable", "text"),
    [
        ("order-web", "MYSQL_PASSWORD", "a-wrong-password"),
        ("user-web", "MONGO_URI", "mongodb://microshop_user:a-wrong-one@mongo:27017/microshop_user?replicaSet=rs0"),
    ],
)
def test_a_wrong_password_shows_in_words_in_health_and_log(
    shop: Containers, name: str, variable: str, text: str
) -> None:
    port = {"order-web": 3000, "user-web": 4000}[name]
    other = shop.compose("run", "-d", "--no-deps", "-e", f"{variable}={text}", name).stdout.strip()
    look = f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:{port}/health', timeout=9).read().decode())"
    try:
        seen = lambda: WORDS in docker("exec", other, "python", "-c", look, check=False).stdout  # noqa: E731
        wait_for(seen, "words in health", RECOVERY_SECONDS)
        logged = docker("logs", other)
        assert WORDS in logged.stdout + logged.stderr
        assert text not in logged.stdout + logged.stderr
    finally:
        docker("rm", "-f", other)


@pytest.mark.parametrize(
    "name",
    [
        "JWT_SECRET",
        "MYSQL_ROOT_PASSWORD",
        "MONGO_KEYFILE",
        "KAFKA_PASSWORD_ORDER",
        "KAFKA_UI_PASSWORD",
        "FROM_EMAIL",
        "STAFF_EMAIL",
    ],
)
def test_a_missing_variable_stops_compose_with_its_name(shop: Containers, tmp_path: Path, name: str) -> None:
    lacking = Containers(tmp_path, "lacking")
    lacking.env[name] = ""
    lacking.save()
    refused = lacking.compose("up", "-d", check=False)
    assert refused.returncode
    assert name in refused.stderr


@pytest.mark.parametrize(
    ("name", "job"),
    [
        ("JWT_SECRET", "user-topics"),
        ("MYSQL_PASSWORD", "mysql-init"),
        ("MYSQL_MIGRATE_PASSWORD", "order-migrate"),
        ("MONGO_ROOT_PASSWORD", "mongo-init"),
        ("KAFKA_PASSWORD_ADMIN", "kafka-init"),
    ],
)
def test_a_placeholder_stops_the_jobs_with_its_name(shop: Containers, tmp_path: Path, name: str, job: str) -> None:
    lacking = Containers(tmp_path, "lacking")
    lacking.env[name] = "changeme"
    lacking.save()
    try:
        refused = lacking.compose("run", "--rm", "--no-deps", job, check=False)
    finally:
        lacking.compose("down", "--volumes", check=False)
    assert refused.returncode == 78
    assert f"{name} (is a placeholder)" in refused.stdout + refused.stderr


def mysql_says(shop: Containers, statement: str, user: str, password: str) -> str:
    """What MySQL has against a statement: nothing, or its words."""
    connection = mysql_connection(shop, user, password)
    try:
        connection.select_db(shop.env["MYSQL_DATABASE"])
        connection.cursor().execute(statement)
    except MySQLdb.Error as error:
        return str(error)
    finally:
        connection.close()
    return ""


def test_the_account_of_run_time_changes_no_table_also_after_it_once_could(shop: Containers) -> None:
    user, migrate = ((shop.env[f"MYSQL_{who}USER"], shop.env[f"MYSQL_{who}PASSWORD"]) for who in ("", "MIGRATE_"))
    assert mysql_says(shop, "SELECT COUNT(*) FROM django_migrations", *user) == ""
    root = ("root", shop.env["MYSQL_ROOT_PASSWORD"])
    assert mysql_says(shop, f"GRANT ALL ON {shop.env['MYSQL_DATABASE']}.* TO '{user[0]}'@'%'", *root) == ""
    assert mysql_says(shop, "CREATE TABLE probe (id INT)", *user) == ""
    shop.compose("run", "--rm", "--no-deps", "mysql-init")
    for statement in ("CREATE TABLE other (id INT)", "ALTER TABLE probe ADD x INT", "DROP TABLE probe"):
        assert "command denied" in mysql_says(shop, statement, *user)
    assert mysql_says(shop, "SELECT COUNT(*) FROM mysql.user", *user) != ""
    assert mysql_says(shop, "DROP TABLE probe", *migrate) == ""


def test_a_new_password_of_mysql_counts_at_once_and_the_old_one_until_the_next_time(shop: Containers) -> None:
    user, old = shop.env["MYSQL_USER"], shop.env["MYSQL_PASSWORD"]
    shop.env["MYSQL_PASSWORD"] = new = secrets.token_urlsafe(24)
    shop.save()
    shop.compose("run", "--rm", "--no-deps", "mysql-init")
    assert [mysql_says(shop, "SELECT 1", user, password) for password in (old, new)] == ["", ""]
    shop.compose("run", "--rm", "--no-deps", "mysql-init")
    with pytest.raises(MySQLdb.OperationalError, match="Access denied"):
        mysql_connection(shop, user, old)
    shop.env["MYSQL_PASSWORD"] = old
    shop.save()
    shop.compose("run", "--rm", "--no-deps", "mysql-init")
    assert mysql_says(shop, "SELECT 1", user, old) == ""


def test_the_order_services_tests_pass_on_this_mysql(shop: Containers) -> None:
    with_rights = f"mysql://root:{shop.env['MYSQL_ROOT_PASSWORD']}@127.0.0.1:{shop.env['MYSQL_PUBLISHED_PORT']}"
    mysql_connection(shop).close()
    tests = ROOT / "order_service" / "tests" / "integration"
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        # What freezes the server needs one of its own.
        [sys.executable, "-m", "pytest", "-q", str(tests), f"--ignore={tests / 'test_unavailable.py'}"],
        cwd=ROOT,
        env=kept | {"TEST_MYSQL": with_rights},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
