"""The process itself: it serves, it mails, it stops when told, and it is never alive and deaf."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest

from notification_service.tests.integration.conftest import wait_until

ROOT = Path(__file__).parents[3]

# Runs the service with a handler that ends its thread the first time that it is called, as no exception of ours can.
DEADLY = """
import os, pathlib, sys
from notification_service import __main__ as main, config, handlers
from chassis.env import load
welcome, mark = handlers.welcome_user, pathlib.Path(sys.argv[1])

def die_once(event, composer):
    if not mark.exists():
        mark.touch()
        raise SystemExit
    return welcome(event, composer)

handlers.HANDLERS["user-registered"] = die_once
main.web(load(config.Config), [])
"""


class Service:
    """The running service."""

    def __init__(self, arguments, environ, log):
        self.log, self.url = log, f"http://127.0.0.1:{environ['NOTIFICATION_SERVICE_PORT']}"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=environ, stdout=output, stderr=output
            )

    def get(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def is_ready(self):
        return self.get("/health/ready")[0] == 200

    def worker(self):
        """The pid of gunicorn's worker."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@pytest.fixture
def serve(config, kafka, tmp_path):
    services = []
    environ = {**os.environ, "SMTP_PORT": str(config.smtp_port), "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def start(*arguments):
        service = Service(arguments, environ, tmp_path / f"{len(services)}.log")
        services.append(service)
        wait_until(service.is_ready, 30)
        return service

    yield start
    for service in services:
        if service.process.poll() is None:
            service.process.kill()
        service.process.wait()


def test_it_mails_tells_how_it_does_and_stops_cleanly_when_told(serve, shop, smtp_sink, person):
    service = serve("-m", "notification_service", "web")
    shop.register(person)
    smtp_sink.wait(person.email)
    health = json.loads(service.get("/health")[1])
    assert health["status"] == "ok"
    assert health["checks"]["consumer"]["parts"]["notification-service"]["assigned"] == 21
    assert health["checks"]["smtp"]["lastMailAt"]
    wait_until(lambda: 'consumer_handled_total{part="notification-service"}' in service.get("/metrics")[1])
    assert 'mails_sent_total{kind="user-registered"}' in service.get("/metrics")[1]
    assert service.get("/docs/")[0] == 200
    assert service.stop() == 0
    log = service.log.read_text()
    assert "Traceback" not in log
    assert person.email not in log


def test_it_stops_cleanly_while_the_smtp_server_is_away_and_mails_after_the_next_start(serve, shop, smtp_sink, person):
    smtp_sink.behave("refuse")
    service = serve("-m", "notification_service", "web")
    shop.register(person)
    health = wait_until(lambda: "refused the connection" in service.get("/health")[1] and service.get("/health"))
    assert (health[0], json.loads(health[1])["status"]) == (200, "degraded")
    ready = service.get("/health/ready")
    assert (ready[0], json.loads(ready[1])["checks"]["consumer"]["smtp"]) == (200, "down")
    assert service.stop() == 0
    smtp_sink.behave("ok")
    serve("-m", "notification_service", "web")
    assert len(smtp_sink.wait(person.email)) == 1


def test_a_consumer_thread_that_dies_ends_its_process_and_the_next_one_goes_on(
    serve, shop, smtp_sink, person, tmp_path
):
    service = serve("-c", DEADLY, str(tmp_path / "died"))
    first = service.worker()
    shop.register(person)
    wait_until(lambda: service.worker() not in (first, None), 5)
    assert len(smtp_sink.wait(person.email)) == 1
    wait_until(service.is_ready)
    assert service.stop() == 0


def test_a_worker_that_is_killed_is_replaced_and_its_events_are_mailed(serve, shop, smtp_sink, person):
    service = serve("-m", "notification_service", "web")
    os.kill(service.worker(), signal.SIGKILL)
    shop.register(person)
    assert len(smtp_sink.wait(person.email, seconds=30)) == 1
    assert service.stop() == 0
