"""What other services request by events: a new link in place of a dead letter, and an account that they do not know."""

from dataclasses import dataclass, field
from datetime import timedelta

import orjson
import pytest
from ulid import ULID

from libs.messaging.envelope import Event, MalformedEvent
from libs.values.times import now
from user_service.events.topics import GROUP
from user_service.store.documents import User, mail_tokens
from user_service.store.limits.mail_limits import MailLimits
from user_service.store.limits.rate_limits import Limiter
from user_service.tests.integration.test_mail_links import ask, mails, reset, verify
from user_service.worker.handlers import make_handlers


@dataclass
class Worker:
    """The handlers, and the limit of mails per recipient."""

    mails: str = "20/hour"
    event_id: str = field(default_factory=lambda: str(ULID()))

    def handle(self, topic, key, **data):
        handlers = make_handlers(MailLimits(Limiter(User._get_db(), {"mails": self.mails}), client_address=""))[GROUP]
        handlers[topic](Event(str(ULID()), topic, key, 0, "", data))

    def link(self, person, kind, event_id=""):
        data = {"userId": person.id, "kind": kind, "eventId": event_id or self.event_id, "requestedAt": "now"}
        self.handle("user-link-requested", person.id, **data)

    def resend(self, user_id):
        self.handle("user-resend-requested", user_id, userId=user_id)


@pytest.fixture
def worker(app):
    return Worker()


def snapshots(pending, person, topic):
    return [orjson.loads(row["payload"]) for row in pending(person.id) if row["topic"] == topic]


def test_an_unverified_account_gets_a_new_link_that_works(client, people, pending, worker):
    person = people.make()
    worker.link(person, "verify")
    _, mail = mails(pending, person, "verify")
    assert mail["email"] == person.email
    assert verify(client, mail["token"]).status_code == 204


def test_a_verified_account_needs_none(client, people, pending, worker):
    person = people.make()
    verify(client, mails(pending, person, "verify")[0]["token"])
    worker.link(person, "verify")
    assert len(mails(pending, person, "verify")) == 1


def test_a_reset_that_is_waited_for_gets_a_new_link_that_works(client, people, pending, worker):
    person = people.make()
    ask(client, person.email)
    worker.link(person, "reset")
    _, mail = mails(pending, person, "reset")
    assert reset(client, mail["token"]).status_code == 204


def test_a_reset_that_was_never_requested_is_used_or_is_too_old_gets_none(client, people, pending, worker):
    person = people.make()
    worker.link(person, "reset")
    assert mails(pending, person, "reset") == []
    ask(client, person.email)
    mail_tokens().update_many({"kind": "reset"}, {"$set": {"expires_at": now() - timedelta(seconds=1)}})
    worker.link(person, "reset")
    ask(client, person.email)
    reset(client, mails(pending, person, "reset")[-1]["token"])
    worker.link(person, "reset")
    assert len(mails(pending, person, "reset")) == 2


def test_one_dead_letter_gets_one_new_link_however_often_it_is_replayed(people, pending, worker):
    person = people.make()
    for _ in range(3):
        worker.link(person, "verify")
    assert len(mails(pending, person, "verify")) == 2
    worker.link(person, "verify", event_id=str(ULID()))
    assert len(mails(pending, person, "verify")) == 3


def test_two_workers_at_once_request_one_mail(people, pending, worker, monkeypatch):
    person = people.make()
    monkeypatch.setattr("user_service.use_cases.accounts.reissue_link.mail_tokens.is_reissued", lambda _event_id: False)
    worker.link(person, "verify"), worker.link(person, "verify")
    assert len(mails(pending, person, "verify")) == 2


def test_a_new_link_counts_under_the_recipients_limit(people, pending):
    person, worker = people.make(), Worker(mails="2/hour")
    for _ in range(4):
        worker.link(person, "verify", event_id=str(ULID()))
    assert len(mails(pending, person, "verify")) == 1 + 2


def test_a_deleted_and_a_disabled_account_get_none(client, people, pending, worker):
    deleted, disabled, admin = people.make(), people.make(), people.make("admin")
    client.delete(f"/users/{deleted.id}", headers=admin.headers)
    client.patch(f"/users/{disabled.id}", json={"active": False}, headers=admin.headers)
    for person, before in ((deleted, 0), (disabled, 1)):
        worker.link(person, "verify")
        assert len(mails(pending, person, "verify")) == before


def test_an_account_is_published_again_as_it_is(client, people, pending, worker):
    person, admin = people.make(), people.make("admin")
    before = client.get(f"/users/{person.id}", headers=admin.headers).json
    worker.resend(person.id)
    (snapshot,) = snapshots(pending, person, "user-updated")
    assert (snapshot["email"], snapshot["emailVerified"], snapshot["active"]) == (person.email, False, True)
    assert client.get(f"/users/{person.id}", headers=admin.headers).json == before
    client.patch(f"/users/{person.id}", json={"active": False}, headers=admin.headers)
    worker.resend(person.id)
    assert [data["active"] for data in snapshots(pending, person, "user-updated")] == [True, False, False]
    assert [row["sequence"] for row in pending(person.id)] == list(range(1, 2 + 5))


def test_the_deletion_of_an_account_is_published_again(client, people, pending, worker):
    person, admin = people.make(), people.make("admin")
    client.delete(f"/users/{person.id}", headers=admin.headers)
    worker.resend(person.id)
    first, second = snapshots(pending, person, "user-deleted")
    assert first == second
    assert person.email not in str(pending(person.id)[-1])


def test_an_account_that_never_existed_is_not_published(pending, worker):
    worker.resend("0" * 24)
    assert pending("0" * 24) == []


@pytest.mark.parametrize(
    ("topic", "data"),
    [
        ("user-resend-requested", {"userId": "1" * 24}),
        ("user-resend-requested", {}),
        ("user-link-requested", {"userId": "0" * 24, "kind": "welcome", "eventId": str(ULID())}),
        ("user-link-requested", {"userId": "0" * 24, "kind": "reset", "eventId": "x"}),
    ],
)
def test_an_event_that_can_not_be_read_is_malformed(worker, topic, data):
    with pytest.raises(MalformedEvent):
        worker.handle(topic, "0" * 24, **data)
