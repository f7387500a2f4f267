"""The running shop as its customers see it: the HTTP APIs, and the mails that arrive."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.customers.mailbox import CaughtMail, Mailbox
from deploy.local.errors import LocalError, NotReady
from deploy.local.probe import Answer, call, check_ready
from deploy.local.services import SERVICES
from deploy.local.stack import Stack
from deploy.local.supervision.waiting import until_ready

MAIL_SECONDS = 30.0


@dataclass(frozen=True)
class Shop:
    """`ports`: the HTTP port of each service by its package. `mailbox`: the mails from now on."""

    ports: Mapping[str, int]
    mailbox: Mailbox

    def request(self, package: str, method: str, path: str, body: object = None, token: str = "") -> Answer:
        """The response of a service. Raises NotReady when none comes."""
        return call(self.ports[package], method, path, body, token)

    def read(self, package: str, path: str, token: str = "") -> Any:
        """The JSON of a GET request. Raises LocalError when it is refused."""
        return expect(self.request(package, "GET", path, token=token), 200, f"GET {path.partition('?')[0]}")

    def post(self, package: str, path: str, body: object, status: int, token: str = "") -> Any:
        """The JSON of the response to a POST request. Raises LocalError for another status."""
        return expect(self.request(package, "POST", path, body, token), status, f"POST {path}")

    def await_mail(self, recipient: str, words: str) -> CaughtMail:
        """The first mail to an address with these words in its subject. Raises NotReady after 30 s."""

        def find() -> CaughtMail:
            for mail in self.mailbox.find(recipient):
                if words in mail.subject:
                    return mail
            raise NotReady(f"no mail with {words!r} in its subject came in {MAIL_SECONDS:.0f} s")

        return until_ready(find, MAIL_SECONDS, every=0.02)


def expect(answer: Answer, status: int, what: str) -> Any:
    """The JSON of a response. Raises LocalError for another status."""
    if answer.status != status:
        raise LocalError(f"{what} answers {answer.status}: {answer.body[:300].decode(errors='replace')}")
    return answer.json


def open_shop(stack: Stack, need: str) -> Shop:
    """The shop of a stack. `need`: why the command needs the mail catcher.

    Raises LocalError when the shop is not up, or sends its mails elsewhere.
    """
    ports = {service.package: stack.port_of(service) or 0 for service in SERVICES if service.port}
    for package, port in ports.items():
        try:
            check_ready(package, port)
        except NotReady as error:
            raise LocalError(f"the shop is not up ({error}): `make up` starts it") from None
    mail = stack.mail()
    if not mail:
        raise LocalError(f"{need}, and SMTP_SERVER names another server")
    return Shop(ports, Mailbox(mail.page_port))
