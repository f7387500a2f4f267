"""Encrypt the stored secrets of authenticators with the present key."""

from dataclasses import dataclass

from libs.access.encryption import Encryption, UndecryptableText
from user_service.store import totp_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What a run did: the number of secrets that it encrypted, and the accounts with a secret that no key can read."""

    encrypted: int
    unreadable: list[str]


def rotate_encryption(encryption: Encryption) -> Rotation:
    """Encrypt each secret that is stored as it is, or with an older key. It may run while the services run, and again."""
    encrypted, unreadable = 0, []
    for stored in totp_secrets.find_all():
        if encryption.is_current(stored.secret):
            continue
        try:
            renewed = encryption.encrypt(encryption.decrypt(stored.secret))
        except UndecryptableText:
            unreadable.append(stored.user_id)
        else:
            encrypted += totp_secrets.replace_secret(stored, renewed)
    return Rotation(encrypted=encrypted, unreadable=unreadable)
