"""The limits of mails with links. They keep the shop from sending mails to a stranger without end."""

from libs.values.email_address import EmailAddress, mailbox_key
from user_service.domain.user import User
from user_service.store.limits.rate_limits import Limiter, RateLimit


class MailLimits:
    """The limits `verify` (an account), `mails` (a recipient) and `links` (a client address), for one client."""

    def __init__(self, limiter: Limiter, *, client_address: str) -> None:
        self._limiter, self._client_address = limiter, client_address

    def account(self, user: User) -> RateLimit:
        """The limit of resends and changes of address. It counts by the account's id, which no change sets to zero."""
        return self._limiter.limit("verify", account=user.id)

    def client(self) -> RateLimit:
        """The limit of resets, resends and changes of address from the client's address."""
        return self._limiter.limit("links", client_address=self._client_address)

    def recipient(self, email: EmailAddress, *, sent: bool = True) -> RateLimit:
        """The limit of mails to this address, with any tag behind a plus sign.

        `sent` is False for a request that sends no mail: it counts apart, so that it takes no mail from the address's owner.
        """
        mailbox = mailbox_key(email.key)
        return self._limiter.limit("mails", account=mailbox if sent else f"not sent {mailbox}")
