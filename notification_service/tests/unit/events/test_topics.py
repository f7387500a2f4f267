"""The topics that the service creates."""

from notification_service.events.topics import ACCOUNT_TOPICS, MAIL_TOPICS, topics


def test_the_ledger_and_each_dead_letter_topic_have_as_many_partitions_as_the_consumed_topics():
    needed = topics()
    assert set(needed) == {
        "mail-sent",
        "mail-parked",
        "user-link-requested",
        *ACCOUNT_TOPICS,
        *MAIL_TOPICS,
        *(f"{topic}.notification-service.dlq" for topic in MAIL_TOPICS),
    }
    assert needed.pop("mail-parked")["partitions"] == 1  # it is read as a whole
    assert {settings["partitions"] for settings in needed.values()} == {3}
