"""What `make observe` and `make kafka` start: on loopback, with the shop's rules, and changing nothing."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from deploy.install.download import install_kaskade
from deploy.install.programs import kaskade
from deploy.local.ports import is_open
from deploy.local.state import State
from deploy.observe.kafka import PAGE
from deploy.observe.servers import RULES, Alertmanager, Disks, Prometheus, mount_of
from tests.free_ports import pick_free
from tests.stack import running

HOST = "127.0.0.1"


def get(port: int, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


def listens_on(port: int) -> set[str]:
    found = [c.laddr.ip for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr.port == port]
    return {address.removeprefix("::ffff:") for address in found}


def wait_for(look: Any, seconds: float = 120.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path)
    state.make()
    return state


def test_prometheus_has_the_rules_of_the_shop_and_asks_its_services(state: State) -> None:
    port, alerts, user = pick_free(3)
    with running(Prometheus(state, port, alerts, {"user": user}), state):
        rules = json.loads(get(port, "/api/v1/rules")[1])["data"]["groups"]
        written = [yaml.safe_load((RULES / name).read_text())["groups"] for name in ("recording.yml", "alerts.yml")]
        assert {group["name"] for group in rules} == {group["name"] for groups in written for group in groups}
        (target,) = wait_for(lambda: json.loads(get(port, "/api/v1/targets")[1])["data"]["activeTargets"])
        assert target["scrapeUrl"] == f"http://{HOST}:{user}/metrics"
        assert listens_on(port) == {HOST}


def test_a_service_that_is_down_becomes_an_alert(state: State) -> None:
    port, alerts, nobody = pick_free(3)
    with running(Prometheus(state, port, alerts, {"user": nobody}), state):

        def names() -> set[str]:
            found = json.loads(get(port, "/api/v1/alerts")[1])["data"]["alerts"]
            return {alert["labels"]["alertname"] for alert in found}

        wait_for(lambda: names() == {"ServiceDown"})


def test_the_disk_of_the_data_is_watched_and_no_other(state: State) -> None:
    port, alerts, exporter = pick_free(3)
    disks = Disks(exporter, state.path)

    def shown(metric: str) -> Any:
        found = json.loads(get(port, f"/api/v1/query?query={metric}")[1])["data"]["result"]
        return [(series["metric"]["mountpoint"], float(series["value"][1])) for series in found]

    with running(disks, state), running(Prometheus(state, port, alerts, {}, every="1s", disks=disks), state):
        ((mount, size),) = wait_for(lambda: shown("node_filesystem_size_bytes"))
        assert (mount, size) == (str(mount_of(state.path)), shutil.disk_usage(state.path).total)
        assert len(shown("node_filesystem_avail_bytes")) == 1
        assert listens_on(exporter) == {HOST}


def test_the_mount_point_of_a_directory_is_found(tmp_path: Path) -> None:
    assert mount_of(Path("/")) == Path("/")
    assert mount_of(Path("/proc/self")) == Path("/proc")
    assert str(tmp_path).startswith(str(mount_of(tmp_path)))


def test_alertmanager_takes_alerts_on_loopback_only(state: State) -> None:
    port, smtp = pick_free(2)
    with running(Alertmanager(state, port, smtp), state):
        status = json.loads(get(port, "/api/v2/status")[1])
        assert f"smarthost: {HOST}:{smtp}" in status["config"]["original"]
        assert status["cluster"]["status"] == "disabled"
        assert listens_on(port) == {HOST}


@pytest.fixture
def page(kafka: str, tmp_path: Path) -> Iterator[tuple[int, str]]:
    """The page of kaskade: its port and its password."""
    install_kaskade()
    (port,), password = pick_free(1), secrets.token_urlsafe(12)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "KAFKA_UI_PASSWORD": password}
    command = [kaskade(), PAGE, "serve", str(port), "admin", "-b", kafka]
    with subprocess.Popen([str(word) for word in command], env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: process.poll() is not None or is_open(port), 120)
            assert process.poll() is None
            yield port, password
        finally:
            process.terminate()


def test_the_page_of_kafka_needs_its_password_and_its_own_address(page: tuple[int, str]) -> None:
    port, password = page
    login = "Basic " + b64encode(f"admin:{password}".encode()).decode()
    wrong = "Basic " + b64encode(b"admin:wrong").decode()
    assert listens_on(port) == {HOST}
    for path in ("/", "/ws", "/static/js/textual.js"):
        assert get(port, path)[0] == get(port, path, Authorization=wrong)[0] == 401
        assert get(port, path, Authorization=login, Host="evil.example")[0] == 403
        assert get(port, path, Authorization=login, Origin="http://evil.example")[0] == 403
    status, body, headers = get(port, "/", Authorization=login)
    assert (status, b"textual" in body) == (200, True)
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert get(port, "/", Cookie=cookie.partition(";")[0])[0] == 200


CHANGES = """
import sys, os
sys.path.insert(0, os.path.dirname(sys.argv[1]))
import kafka_page
from kaskade import admin, services
kafka_page.make_read_only()
service = services.TopicService({"bootstrap.servers": sys.argv[2]})
calls = [lambda: service.delete("x"), lambda: service.create(None), lambda: service.edit("x", {})]
for call in (*calls, lambda: service.add_partitions("x", 9)):
    try:
        call()
    except kafka_page.ReadOnly:
        continue
    sys.exit("not refused")
shown = [admin.ListTopics.check_action(None, name, ()) for name in ("new", "edit", "delete", "describe")]
sys.exit(0 if shown == [False, False, False, True] else str(shown))
"""


def test_no_key_and_no_call_of_kaskade_changes_a_topic(kafka: str) -> None:
    install_kaskade()
    command = [str(kaskade()), "-c", CHANGES, str(PAGE), kafka]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
