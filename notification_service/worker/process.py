"""The wiring of the consuming half of the process, from the configuration. Nothing connects before it is used."""

from dataclasses import dataclass
from typing import Self

import flask_mail

from libs.access.revocations import Revocations
from libs.messaging.handler_pool import Handler
from notification_service.config import Config
from notification_service.rendering.composer import Composer
from notification_service.smtp.mailer import Mailer
from notification_service.store.accounts import AccountView
from notification_service.store.mail_ledger import MailLedger
from notification_service.use_cases.send_mail import SendMail
from notification_service.worker.background_consumer import BackgroundConsumer
from notification_service.worker.handlers import bind_handlers


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """The parts that send mails."""

    composer: Composer
    mailer: Mailer
    ledger: MailLedger
    accounts: AccountView
    handlers: dict[str, Handler]
    consumer: BackgroundConsumer

    @classmethod
    def of(cls, config: Config, revocations: Revocations) -> Self:
        """The parts as `config` says. `revocations` gets the revoked tokens."""
        brokers = config.brokers
        composer, mailer, ledger = make_composer(config), make_mailer(config), MailLedger(brokers)
        accounts = AccountView(brokers, revocations)
        handlers = bind_handlers(SendMail(composer=composer, mailer=mailer, ledger=ledger, accounts=accounts))
        threads = config.mail_concurrency
        return cls(
            composer=composer,
            mailer=mailer,
            ledger=ledger,
            accounts=accounts,
            handlers=handlers,
            consumer=BackgroundConsumer(brokers, handlers, ledger=ledger, accounts=accounts, threads=threads),
        )


def make_composer(config: Config) -> Composer:
    """The composer of the shop's mails."""
    shop_url = str(config.public_url or "").rstrip("/")
    return Composer(
        shop=config.shop_name,
        shop_url=shop_url,
        links_url=shop_url or str(config.user_service_url).rstrip("/"),
        message_id_domain=config.from_email.rpartition("@")[2],
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
    return Mailer(settings, sender=(config.shop_name, config.from_email))
