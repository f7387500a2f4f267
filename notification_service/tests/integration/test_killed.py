"""A process that is killed loses no mail. Only mails in flight may be sent again, under the same Message-ID."""

import json
import os
import signal
from collections import Counter

from notification_service.tests.integration.world import wait_until

KILLS = 3


def test_after_kills_no_mail_is_lost_and_only_mails_in_flight_are_sent_again_under_the_same_id(
    serve, config, shop, smtp_sink, person
):
    smtp_sink.seconds_a_mail = 0.02
    service = serve("-m", "notification_service", "web")
    shop.place_orders(person, 200)
    for kill in range(KILLS):
        smtp_sink.wait(person.email, 30 * (kill + 1), 40)
        worker = service.worker()
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: service.worker() not in (worker, None))  # noqa: B023 -- called at once
    smtp_sink.wait_until(lambda: len({got.id for got in smtp_sink.to(person.email)}) == 200, 60)
    wait_until(lambda: json.loads(service.get("/health")[1] or "{}").get("status") == "ok")
    wait_until(lambda: lag(service) == 0)
    copies = Counter(got.id for got in smtp_sink.to(person.email))
    assert len(copies) == 200
    assert copies.total() - 200 <= KILLS * config.mail_concurrency
    assert service.stop() == 0


def lag(service):
    return json.loads(service.get("/health")[1])["checks"]["consumer"]["parts"]["notification-service"]["lag"]
