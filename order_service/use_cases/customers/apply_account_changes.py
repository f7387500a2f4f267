"""Store what user_service says about accounts: addresses, and revocations of tokens."""

from collections.abc import Collection, Sequence

from django.db import transaction

from libs.access.revocations import Revocation
from order_service.domain.customer import MailAddress
from order_service.store.customers import set_address
from order_service.store.worker_tables import stored_revocations


@transaction.atomic
def apply_account_changes(*, addresses: Sequence[tuple[str, MailAddress]], revocations: Collection[Revocation]) -> None:
    """Store the addresses of accounts that order, in the order of their ids, and the revocations for the web processes.

    A repeated call changes nothing.
    """
    for user_id, address in sorted(addresses, key=lambda one: one[0]):
        set_address(user_id, address)
    if revocations:
        stored_revocations.add(revocations)
