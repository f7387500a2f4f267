"""The mail catcher: it accepts every mail by SMTP, delivers none, and shows them on a page and an API."""

import smtplib
from dataclasses import dataclass

from deploy.install.programs import sendria
from deploy.local.errors import NotReady
from deploy.local.ports import LOOPBACK, is_open
from deploy.local.state import State
from deploy.local.supervision.process import Process


@dataclass(frozen=True)
class Mail:
    """Sendria, without a login. It keeps the mails in a file, so they survive a restart."""

    state: State
    smtp_port: int
    page_port: int
    name = "mail"

    @property
    def ports(self) -> dict[str, int]:
        return {"SMTP_PORT": self.smtp_port, "MAIL_PAGE_PORT": self.page_port}

    @property
    def page(self) -> str:
        """The address of the page with the mails."""
        return f"http://{LOOPBACK}:{self.page_port}/"

    def prepare(self) -> None:
        (self.state.data / "mail").mkdir(parents=True, exist_ok=True)

    def process(self) -> Process:
        data = self.state.data / "mail"
        smtp = (f"--smtp-ip={LOOPBACK}", f"--smtp-port={self.smtp_port}")
        page = (f"--http-ip={LOOPBACK}", f"--http-port={self.page_port}")
        mode = ("--foreground", "--no-quit", f"--db={data / 'mails.sqlite'}")
        # Sendria writes a settings file into HOME. Its own directory keeps the user's home clean.
        return Process(self.name, (str(sendria()), "-m", "sendria", *mode, *smtp, *page), {"HOME": str(data)}, 10)

    def check(self) -> None:
        """Exchange greetings by SMTP, and connect to the page."""
        try:
            with smtplib.SMTP(LOOPBACK, self.smtp_port, timeout=2) as smtp:
                smtp.noop()
        except (OSError, smtplib.SMTPException) as error:
            raise NotReady(f"mail on port {self.smtp_port} does not answer: {error}") from None
        if not is_open(self.page_port):
            raise NotReady(f"mail's page on port {self.page_port} does not answer")


def answers_smtp(port: int) -> bool:
    """Whether an SMTP server greets there. The shop then sends its mail to that server."""
    try:
        with smtplib.SMTP(LOOPBACK, port, timeout=2):
            return True
    except (OSError, smtplib.SMTPException):
        return False
