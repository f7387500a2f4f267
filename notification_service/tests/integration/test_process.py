"""The process: it serves, it sends mails, it stops on a signal, and it never runs without its consumer."""

import json
import os
import signal

from notification_service.events.topics import MAIL_TOPICS
from notification_service.tests.integration.world import wait_until

# Runs the service with a handler that ends its thread at its first call, as no Exception can.
DEADLY = """
import os, pathlib, sys
from notification_service import __main__ as main, config
from notification_service.worker import handlers
from libs.runtime.config import load
welcome, mark = handlers.on_user_registered, pathlib.Path(sys.argv[1])

def die_once(event, send_mail):
    if not mark.exists():
        mark.touch()
        raise SystemExit
    return welcome(event, send_mail)

handlers.HANDLERS["user-registered"] = die_once
main.web(load(config.Config), [])
"""


def test_it_sends_mails_shows_its_health_and_stops_cleanly_on_a_signal(serve, shop, smtp_sink, person):
    service = serve("-m", "notification_service", "web")
    shop.register(person)
    smtp_sink.wait(person.email)
    # The server has the mail before the service reads its answer.
    wait_until(lambda: json.loads(service.get("/health")[1])["checks"]["smtp"]["lastMailAt"])
    health = json.loads(service.get("/health")[1])
    assert health["status"] == "ok"
    assert health["checks"]["consumer"]["parts"]["notification-service"]["assigned"] == 3 * len(MAIL_TOPICS)
    wait_until(lambda: 'consumer_handled_total{topic="user-registered"}' in service.get("/metrics")[1])
    assert 'mails_total{kind="user-registered",outcome="sent"}' in service.get("/metrics")[1]
    assert service.get("/docs/")[0] == 200
    assert service.stop() == 0
    log = service.log.read_text()
    assert "Traceback" not in log
    assert person.email not in log


def test_it_stops_cleanly_while_the_smtp_server_is_unavailable_and_sends_the_mail_later(serve, shop, smtp_sink, person):
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
    wait_until(lambda: service.worker() not in (first, None), 30)
    assert len(smtp_sink.wait(person.email)) == 1
    wait_until(service.is_ready)
    assert service.stop() == 0


def test_a_killed_worker_is_replaced_and_the_mails_of_its_events_are_sent(serve, shop, smtp_sink, person):
    service = serve("-m", "notification_service", "web")
    os.kill(service.worker(), signal.SIGKILL)
    shop.register(person)
    assert len(smtp_sink.wait(person.email, seconds=30)) == 1
    assert service.stop() == 0
