"""`python -m notification_service dlq`: dead letters, and their replay."""

from contextlib import closing

from contracts import topic_settings
from libs.access.revocations import Revocations
from libs.messaging.dlq_command import run_dlq
from notification_service.config import Config
from notification_service.events.published import MailSent
from notification_service.events.topics import GROUP
from notification_service.rendering.composer import Composer
from notification_service.smtp.mailer import Mailer
from notification_service.store.accounts import AccountView
from notification_service.store.mail_ledger import Ledger
from notification_service.worker.handlers import bind_handlers


def dlq(config: Config, arguments: list[str]) -> int:
    """Run the command; return its exit status. A replay mails what the ledger does not know yet."""
    with closing(Ledger(config.kafka_brokers)) as ledger, closing(Mailer(config)) as mailer:
        accounts = AccountView(config.kafka_brokers, Revocations())
        if "replay" in arguments:
            accounts.load()
            ledger.load(range(topic_settings(MailSent.topic)[MailSent.topic]["partitions"]))
        handlers = bind_handlers(Composer(config), mailer, ledger, accounts)
        return run_dlq(config.kafka_brokers, {GROUP: handlers}, arguments)
