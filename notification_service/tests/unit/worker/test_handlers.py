"""The handlers: each consumed event is handled, and asks for a mail of a known kind."""

from contracts import event_schema
from notification_service.domain.mail_kinds import GENERAL_NOTICE, KINDS, NOTICE_KINDS
from notification_service.events.topics import MAIL_TOPICS
from notification_service.worker.handlers import HANDLERS, LINK_KINDS


def test_each_consumed_topic_has_a_handler():
    assert set(HANDLERS) == set(MAIL_TOPICS)


def test_there_is_a_mail_for_each_event_each_link_and_the_test_mail():
    named_otherwise = {"user-mail-requested", "mail-resend-requested", "user-notice-requested"}
    notices = event_schema("user-notice-requested")["properties"]["kind"]["enum"]
    assert set(KINDS) == {*HANDLERS, *LINK_KINDS.values(), *notices, GENERAL_NOTICE, "test"} - named_otherwise
    assert set(notices) == NOTICE_KINDS
