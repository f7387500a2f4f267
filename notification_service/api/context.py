"""What routes take from the application."""

from typing import cast

from flask import current_app

from notification_service.config import Config
from notification_service.rendering.composer import Composer
from notification_service.smtp.mailer import Mailer
from notification_service.use_cases.send_mail import SendMail
from notification_service.worker.process import Worker


def config() -> Config:
    """The configuration of this process."""
    return cast(Config, current_app.extensions["config"])


def composer() -> Composer:
    """The composer of the shop's mails."""
    return _worker().composer


def mailer() -> Mailer:
    """The mailer, with its SMTP connections."""
    return _worker().mailer


def send_mail() -> SendMail:
    """The use case that sends the mail of an event, and has the limit of mails to a recipient."""
    return _worker().send_mail


def _worker() -> Worker:
    return cast(Worker, current_app.extensions["worker"])
