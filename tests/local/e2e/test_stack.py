"""The running stack: what dies comes back, and a stop leaves nothing."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import envfile
from deploy.local.services import PROCESS_NAMES as PROCESSES
from deploy.local.supervision.process import find_ours, read_pid
from tests.e2e.conftest import wait_for
from tests.shop import Shop, make_shop

PIPE_BYTES = 64 * 1024


@pytest.fixture
def own_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop that a test may break. Not in tmp_path: the test's name in it makes it long for a socket's path."""
    shop = make_shop(tmp_path_factory.mktemp("own"))
    yield shop
    shop.command("down")


@pytest.mark.parametrize("name", PROCESSES)
def test_a_killed_process_is_started_again(shop: Shop, name: str) -> None:
    shop.kill_and_wait(name)


def test_a_frozen_supervisor_freezes_no_service(shop: Shop) -> None:
    """A pipe of the supervisor would be full after 64 KiB, and each writer of a log line would wait."""
    log = shop.state.log / "user-web.log"
    supervisor = shop.kill("supervisor", signal.SIGSTOP)
    try:
        before, end = log.stat().st_size, time.monotonic() + 60
        while log.stat().st_size - before < 2 * PIPE_BYTES and time.monotonic() < end:
            assert shop.call("user", "GET", "/users/me").status == 401
        assert log.stat().st_size - before >= 2 * PIPE_BYTES
    finally:
        os.kill(supervisor, signal.SIGCONT)


def test_starting_twice_says_that_the_shop_is_up_already(shop: Shop) -> None:
    before = {name: shop.pid(name) for name in PROCESSES}
    again = shop.command("up")
    assert again.returncode == 0
    assert "up already" in again.stdout
    assert {name: shop.pid(name) for name in PROCESSES} == before


def pids(shop: Shop) -> dict[str, int]:
    return {name: shop.pid(name) for name in PROCESSES}


def test_a_change_of_the_settings_restarts_what_it_concerns_and_says_what(shop: Shop) -> None:
    text, before = shop.env_file.read_text(), pids(shop)
    try:
        shop.env_file.write_text(f"{text}MAIL_CONCURRENCY=2\n")
        done = shop.command("up")
        assert done.returncode == 0, done.stderr
        assert "changed since the start: MAIL_CONCURRENCY" in done.stdout
        assert "restarting notification (" in done.stdout
        after = pids(shop)
        assert {name for name in PROCESSES if before[name] != after[name]} == {"notification"}

        shop.env_file.write_text(f"{text}MAIL_CONCURRENCY=2\nKAFKA_UI_PORT=8099\n")
        assert "no process reads that" in shop.command("up").stdout
        assert "up already" in shop.command("up").stdout
        assert pids(shop) == after
    finally:
        shop.env_file.write_text(text)
        assert shop.command("up").returncode == 0


def test_settings_that_a_service_refuses_restart_nothing(shop: Shop) -> None:
    text, before = shop.env_file.read_text(), pids(shop)
    try:
        shop.env_file.write_text(f"{text}MAIL_CONCURRENCY=many\n")
        done = shop.command("up")
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
        assert "MAIL_CONCURRENCY" in done.stderr
        assert "Nothing was restarted" in done.stderr
        assert pids(shop) == before
    finally:
        shop.env_file.write_text(text)


def test_a_command_of_a_service_gets_the_variables_of_this_stack(shop: Shop) -> None:
    done = shop.command("manage", "product_service", "dlq", "list")
    assert (done.returncode, "dead letters" in done.stdout) == (0, True), done.stderr
    assert shop.command("manage", "order_service", "migrate").returncode == 0  # by an account of its own
    assert shop.command("manage", "product_service", "nothing").returncode == 2  # the command's own status
    done = shop.command("manage", "nothing")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "product_service" in done.stderr


def test_status_shows_every_process(shop: Shop) -> None:
    lines = shop.command("status").stdout
    assert all(f"{name} " in lines for name in PROCESSES)
    assert "not running" not in lines


def test_no_secret_is_in_a_command_line_or_a_log(shop: Shop) -> None:
    secrets = [shop.env[name] for name in envfile.generated() if not name.startswith("MONGO_URI")]
    assert all(secrets)  # an empty text is in every text
    texts = [Path(f"/proc/{pid}/cmdline").read_text() for pid in find_ours(shop.state)]
    texts += [path.read_text(errors="replace") for path in shop.state.log.iterdir()]
    assert not [secret for secret in secrets for text in texts if secret in text]


def test_a_stop_leaves_nothing_behind_and_a_crashed_supervisor_is_cleaned_up(own_shop: Shop) -> None:
    assert own_shop.command("up").returncode == 0
    supervisor = own_shop.kill("supervisor", signal.SIGKILL)
    wait_for(lambda: supervisor not in find_ours(own_shop.state), "the supervisor has not died")
    left = find_ours(own_shop.state)
    assert len(left) >= len(PROCESSES)

    again = own_shop.command("up")
    assert again.returncode == 0, again.stderr
    assert not set(left) & set(find_ours(own_shop.state))

    down = own_shop.command("down")
    assert down.returncode == 0, down.stderr
    assert find_ours(own_shop.state) == []
    assert not own_shop.state.run.exists()
    assert "Nothing was running" in own_shop.command("down").stdout


def test_a_port_in_use_is_one_clear_line_and_nothing_stays(own_shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", int(own_shop.env["ORDER_SERVICE_PORT"]))):
        done = own_shop.command("up")
    assert done.returncode == 1
    assert f"port {own_shop.env['ORDER_SERVICE_PORT']} (ORDER_SERVICE_PORT) is in use by" in done.stderr
    assert f"(process {os.getpid()})" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert find_ours(own_shop.state) == []


def test_a_bad_configuration_is_named_with_its_log_and_nothing_stays(own_shop: Shop) -> None:
    text = own_shop.env_file.read_text().replace("JWT_SECRET=", "JWT_SECRET=short #")
    own_shop.env_file.write_text(text)
    done = own_shop.command("up")
    assert done.returncode == 1
    assert "JWT_SECRET" in done.stderr
    assert ".log" in done.stderr
    assert "Traceback" not in done.stderr
    assert find_ours(own_shop.state) == []
    assert read_pid(own_shop.state, "supervisor") is None
