"""Two members of the group: a mail goes out once, even when the member that began it is frozen and the other one takes over."""

from notification_service.tests.integration.world import wait_until
from tests.free_ports import pick_free

PARTITIONS = 30
WEB = ("-m", "notification_service", "web")


def shares(service):
    """True when this member and another one have the partitions, and it is ready to send."""
    state = service.consumer()
    return state.get("prepared") and 0 < state["assigned"] < PARTITIONS


def test_a_member_that_is_frozen_before_the_final_dot_sends_nothing_when_it_goes_on(serve, shop, smtp_sink, person):
    first = serve(*WEB)
    for number in (1, 2):
        smtp_sink.seconds_a_recipient = 4.0
        shop.step("order-placed", person, key=f"{person.username}-{number}")
        # Of this person: a mail of another test may be tried at the same time.
        wait_until(lambda: smtp_sink.tried.count(person.email) == 2 * number - 1, 30)  # noqa: B023 -- called at once
        first.freeze()
        smtp_sink.seconds_a_recipient = 0.0
        second = serve(*WEB, NOTIFICATION_SERVICE_PORT=str(pick_free(1)[0]))
        smtp_sink.wait(person.email, number, 40)
        first.thaw()
        wait_until(lambda: shares(first) and shares(second), 40)  # noqa: B023 -- called at once
        assert len(smtp_sink.to(person.email)) == number
        assert "event waits" in first.log.read_text()
        assert second.stop() == 0
        wait_until(lambda: first.consumer().get("assigned") == PARTITIONS and first.consumer().get("prepared"), 40)
    assert len(smtp_sink.to(person.email)) == 2


def test_an_answer_that_is_outstanding_when_the_process_stops_leaves_one_mail(serve, shop, smtp_sink, person):
    first = serve(*WEB)
    smtp_sink.seconds_a_mail = 2.0
    shop.register(person)
    wait_until(lambda: smtp_sink.complete)  # not its recipient: a process that stops then does not send the message
    assert first.stop() == 0
    smtp_sink.wait(person.email)
    smtp_sink.seconds_a_mail = 0.0
    second = serve(*WEB)
    wait_until(lambda: second.consumer().get("prepared") and second.consumer()["lag"] == 0)
    assert len(smtp_sink.to(person.email)) == 1
