"""The wiring of the consuming half of the process, from the configuration. Nothing connects before it is used."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import flask_mail

from libs.access.revocations import Revocations
from libs.runtime.health import CheckFailed
from libs.runtime.steps import Steps
from notification_service.config import Config
from notification_service.domain.parked_mail import RetryPolicy
from notification_service.rendering.composer import Composer
from notification_service.smtp.mailer import Mailer
from notification_service.store.accounts import AccountView
from notification_service.store.dead_letters import DeadLetters
from notification_service.store.ledger_reader import LedgerReader
from notification_service.store.mail_ledger import MailLedger
from notification_service.store.parked_mails import ParkedMails
from notification_service.store.recipient_limit import RecipientLimit
from notification_service.use_cases.late_answers import LateAnswers
from notification_service.use_cases.park_mail import ParkMail, SendOrPark
from notification_service.use_cases.send_mail import SendMail
from notification_service.worker.background_consumer import BackgroundConsumer
from notification_service.worker.fence import Fence
from notification_service.worker.group_contact import GroupContact
from notification_service.worker.handlers import bind_handlers
from notification_service.worker.mail_consumer import MailConsumer
from notification_service.worker.parked_mails import DueMails, ParkedTry
from notification_service.worker.preparation import Preparation
from notification_service.worker.senders import Handling, Senders


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """The parts that send mails."""

    composer: Composer
    mailer: Mailer
    ledger: MailLedger
    reader: LedgerReader
    accounts: AccountView
    parked: ParkedMails
    send_mail: SendMail
    consumer: BackgroundConsumer

    @classmethod
    def of(cls, config: Config, revocations: Revocations, end: Callable[[int], Any] = os._exit) -> Self:
        """The parts as `config` says. `revocations` gets the revoked tokens. `end` ends a process whose consumer is lost."""
        brokers, steps = config.brokers, Steps()
        fence = Fence(contact := GroupContact())
        limit = RecipientLimit(config.jwt_secret.get_secret_value().encode(), config.rate_limit_mails)
        composer, mailer, ledger = make_composer(config), make_mailer(config), MailLedger(brokers, limit)
        accounts, parked = AccountView(brokers, revocations), ParkedMails(brokers, limit=config.mail_parked)
        reader, late_answers = LedgerReader(brokers, ledger, parked), LateAnswers(ledger, steps)
        send_mail = SendMail(
            composer=composer,
            mailer=mailer,
            ledger=ledger,
            accounts=accounts,
            limit=limit,
            late_answers=late_answers,
            fence=fence,
            steps=steps,
        )
        dead_letters = DeadLetters(brokers)
        park_mail = ParkMail(
            parked=parked, mailer=mailer, dead_letters=dead_letters, policy=make_retry_policy(config), steps=steps
        )
        send_or_park = SendOrPark(send_mail=send_mail, park_mail=park_mail, reader=reader, fence=fence)
        handling = Handling(
            handlers=bind_handlers(send_or_park),
            send_or_park=send_or_park,
            parked_try=ParkedTry(parked=parked, handlers=bind_handlers(send_mail), park_mail=park_mail, ledger=ledger),
            dead_letters=dead_letters,
            mailer=mailer,
            fence=fence,
            steps=steps,
        )

        def make_consumer() -> MailConsumer:
            senders = Senders(handling, DueMails(parked, mailer, fence.owns), config.mail_concurrency)
            return MailConsumer(
                brokers,
                senders=senders,
                fence=fence,
                contact=contact,
                prepare=lambda: Preparation(accounts, parked, reader),
            )

        def close() -> None:
            late_answers.closed.set()
            for part in (ledger, parked, dead_letters):
                part.close()

        readers = (accounts, parked, reader)
        consumer = BackgroundConsumer(brokers, make_consumer, readers, steps=steps, close=close, end=end)
        return cls(
            composer=composer,
            mailer=mailer,
            ledger=ledger,
            reader=reader,
            accounts=accounts,
            parked=parked,
            send_mail=send_mail,
            consumer=consumer,
        )

    def check_smtp(self) -> dict[str, object]:
        """A health check: the result of the last mail, and the parked mails. Raises CheckFailed."""
        figures = self.parked.figures()
        try:
            return self.mailer.check() | figures
        except CheckFailed as down:
            raise CheckFailed(str(down), **down.details, **figures) from None


def make_retry_policy(config: Config) -> RetryPolicy:
    """When parked mails are tried again."""
    return RetryPolicy(
        pauses=config.mail_retry_pauses,
        total_seconds=config.mail_retry_hours * 3600,
        doubt_pauses=config.mail_doubt_pauses,
        answer_seconds=config.mail_answer_seconds,
    )


def make_composer(config: Config) -> Composer:
    """The composer of the shop's mails."""
    shop_url = str(config.public_url or "").rstrip("/")
    return Composer(
        shop=config.shop_name,
        shop_url=shop_url,
        links_url=shop_url or str(config.user_service_url).rstrip("/"),
        message_id_domain=config.from_email.rpartition("@")[2],
        time_zone=config.shop_time_zone,
    )


def make_mailer(config: Config) -> Mailer:
    """The mailer to the configured SMTP server. Without TLS it does not log in."""
    settings = flask_mail.Mail()
    secure = config.smtp_security != "none"
    settings.state = settings.init_mail(
        {
            "MAIL_SERVER": config.smtp_server,
            "MAIL_PORT": config.smtp_port,
            "MAIL_USE_TLS": config.smtp_security == "starttls",
            "MAIL_USE_SSL": config.smtp_security == "tls",
            "MAIL_USERNAME": config.smtp_username if secure else None,
            "MAIL_PASSWORD": config.smtp_password.get_secret_value() if secure else None,
        }
    )
    return Mailer(
        settings,
        sender=(config.shop_name, config.from_email),
        smtp_seconds=config.smtp_seconds,
        answer_seconds=config.mail_answer_seconds,
        concurrency=config.mail_concurrency,
        international=config.smtp_utf8,
    )
