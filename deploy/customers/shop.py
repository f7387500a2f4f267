"""The shop that is up, for commands that use it as its customers do."""

from deploy.customers.mailbox import Mailbox
from deploy.local.errors import LocalError, NotReady
from deploy.local.probe import check_ready
from deploy.local.services import SERVICES
from deploy.local.stack import Stack


def open_shop(stack: Stack, need: str) -> tuple[dict[str, int], Mailbox]:
    """(the port of each service by its package, the mails from now on). `need`: why the command needs the mail catcher.

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
    return ports, Mailbox(mail.page_port)
