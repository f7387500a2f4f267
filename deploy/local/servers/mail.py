"""The mail catcher: takes every mail by SMTP, delivers none, and shows them on a page and an API."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass

from deploy.local.errors import NotReady
from deploy.local.ports import LOOPBACK, is_open
from deploy.local.process import Process
from deploy.local.servers.programs import sendria
from deploy.local.state import State


@dataclass(frozen=True)
class Mail:
    """Sendria, which needs no account. The mails are kept in a file and survive a restart."""

    state: State
    smtp_port: int
    page_port: int
    name = "mail"

    @property
    def ports(self) -> dict[str, int]:
        return {"SMTP_PORT": self.smtp_port, "MAIL_PAGE_PORT": self.page_port}

    @property
    def page(self) -> str:
        """Where a person reads the mails."""
        return f"http://{LOOPBACK}:{self.page_port}/"

    def prepare(self) -> None:
        (self.state.data / "mail").mkdir(parents=True, exist_ok=True)

    def process(self) -> Process:
        argv = (
            str(sendria()),
            "-m",
            "sendria",
            "--foreground",
            "--no-quit",
            f"--db={self.state.data / 'mail' / 'mails.sqlite'}",
            f"--smtp-ip={LOOPBACK}",
            f"--smtp-port={self.smtp_port}",
            f"--http-ip={LOOPBACK}",
            f"--http-port={self.page_port}",
        )
        # It makes a settings file in its user's home: that is not ours to fill.
        return Process(self.name, argv, {"HOME": str(self.state.data / "mail")}, stop_seconds=10)

    def check(self) -> None:
        """Exchange greetings by SMTP, and see that the page is up."""
        try:
            with smtplib.SMTP(LOOPBACK, self.smtp_port, timeout=2) as smtp:
                smtp.noop()
        except (OSError, smtplib.SMTPException) as error:
            raise NotReady(f"mail on port {self.smtp_port} does not answer: {error}") from None
        if not is_open(self.page_port):
            raise NotReady(f"mail's page on port {self.page_port} does not answer")


def answers_smtp(port: int) -> bool:
    """Whether an SMTP server greets there: somebody's own, which then takes the shop's mail."""
    try:
        with smtplib.SMTP(LOOPBACK, port, timeout=2):
            return True
    except (OSError, smtplib.SMTPException):
        return False
