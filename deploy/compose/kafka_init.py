"""The job `kafka-init`: an account for each service, with the rights that it needs, and one for tools; the settings of topics.

It runs in the image of user_service and uses its driver. A second run sets the passwords and the rights again: it rotates the
passwords and removes rights that an older version gave. Connections that are open stay open.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined] # its types leave out what the package exports
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from contracts import contracted_topics, topic_settings
from libs.messaging.kafka.topics import align_with, dead_letter_topic
from libs.runtime.config import BaseConfig, Secret, load_or_exit

BROKER = "kafka:9094"
SECONDS = 60.0
PASSWORD = "kafka_password_"
ITERATIONS = 8192  # RFC 7677 asks for 4096 at least
ANY: Any = None  # the filter accepts None, unlike its types
READ, WRITE, CREATE = AclOperation.READ, AclOperation.WRITE, AclOperation.CREATE


class Config(BaseConfig):
    """The passwords of the administrator and of each service's account, or X_FILE for each."""

    kafka_password_admin: Secret
    kafka_password_user: Secret
    kafka_password_product: Secret
    kafka_password_order: Secret
    kafka_password_notification: Secret


@dataclass(frozen=True)
class Rights:
    """What a service does with topics. `groups`: the topics of each consumer group, which has dead letters for them."""

    publishes: tuple[str, ...]
    reads: tuple[str, ...] = ()  # without a group
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def of_topics(self) -> dict[str, set[AclOperation]]:
        """The operations on each topic. A service may create each topic that it needs. Each right includes DESCRIBE."""
        consumed = {topic for topics in self.groups.values() for topic in topics}
        letters = {dead_letter_topic(topic, group) for group, topics in self.groups.items() for topic in topics}
        found: dict[str, set[AclOperation]] = {}
        for names, operation in (({*self.publishes, *letters}, WRITE), ({*self.reads, *consumed, *letters}, READ)):
            for name in names:
                found.setdefault(name, {CREATE}).add(operation)
        return found


RIGHTS = {
    "user": Rights(
        (
            *("user-registered", "user-updated", "user-deleted", "user-mail-requested", "user-notice-requested"),
            "user-revocations",
        ),
        groups={"user-service": ("user-link-requested", "user-resend-requested")},
    ),
    "product": Rights(
        (
            *("product-created", "product-updated", "product-deleted"),
            *("stock-reserved", "stock-rejected", "stock-released", "stock-held"),
        ),
        groups={
            "product-service": ("order-placed", "order-cancelled", "order-delivered", "stock-release-requested"),
            "product-service-users": ("user-revocations",),
        },
    ),
    "order": Rights(
        (
            *("order-placed", "order-confirmed", "order-rejected", "order-shipped", "order-delivered"),
            *("order-cancelled", "mail-resend-requested", "user-resend-requested", "stock-release-requested"),
        ),
        groups={
            "order-service-catalogue": ("product-created", "product-updated", "product-deleted"),
            "order-service-stock": ("stock-reserved", "stock-rejected", "stock-released"),
            "order-service-reconcile": ("stock-held",),
            "order-service-users": ("user-deleted", "user-updated", "user-revocations"),
            "order-service-mails": ("mail-sent",),
        },
    ),
    "notification": Rights(
        ("mail-sent", "mail-parked", "user-link-requested"),
        reads=("mail-sent", "mail-parked", "user-revocations", "user-deleted"),
        groups={
            "notification-service": (
                *("user-registered", "user-mail-requested", "user-notice-requested", "mail-resend-requested"),
                *("order-placed", "order-confirmed", "order-rejected", "order-shipped", "order-delivered"),
                "order-cancelled",
            )
        },
    ),
}
"""The rights of each service. tests/architecture/test_kafka_rights.py compares them with the services' code."""


def main() -> int:
    """Return the exit status."""
    config = load_or_exit(Config, "kafka-init")
    passwords = {name.removeprefix(PASSWORD): secret.get_secret_value() for name, secret in config}
    client = AdminClient(
        {
            "bootstrap.servers": BROKER,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": "admin",
            "sasl.password": passwords["admin"],
        }
    )
    try:
        set_passwords(client, passwords)
        set_rights(client)
        align_with(client, topic_settings(*contracted_topics()))
    except KafkaException as error:
        sys.stderr.write(f"kafka-init: Kafka refuses: {error.args[0].str()[:200]}\n")
        return 1
    return 0


def set_passwords(client: AdminClient, passwords: dict[str, str]) -> None:
    """Make or change the accounts. Raises KafkaException."""
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
    changes: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(name, info, password.encode()) for name, password in passwords.items()
    ]
    _finish(client.alter_user_scram_credentials(changes, request_timeout=SECONDS))


def set_rights(client: AdminClient) -> None:
    """Give each service its rights, and take all others from it. Raises KafkaException."""
    wanted = set(rules())
    every_rule = AclBindingFilter(
        restype=ResourceType.ANY,
        resource_pattern_type=ResourcePatternType.ANY,
        operation=AclOperation.ANY,
        permission_type=AclPermissionType.ANY,
        **dict.fromkeys(("name", "principal", "host"), ANY),
    )
    held = set(client.describe_acls(every_rule, request_timeout=SECONDS).result())
    if more := wanted - held:
        _finish(client.create_acls(sorted(more), request_timeout=SECONDS))
    if less := held - wanted:
        _finish(client.delete_acls([_only(rule) for rule in less], request_timeout=SECONDS))


def rules() -> Iterator[AclBinding]:
    """Every rule: for a service's topics by name, for its groups by the beginning of their names."""
    for name, rights in RIGHTS.items():
        for topic, operations in rights.of_topics().items():
            for operation in operations:
                yield _allow(name, operation, ResourceType.TOPIC, topic, ResourcePatternType.LITERAL)
        yield _allow(name, READ, ResourceType.GROUP, f"{name}-service", ResourcePatternType.PREFIXED)


def _allow(
    name: str, operation: AclOperation, kind: ResourceType, resource: str, pattern: ResourcePatternType
) -> AclBinding:
    return AclBinding(kind, resource, pattern, f"User:{name}", "*", operation, AclPermissionType.ALLOW)


def _only(rule: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        rule.restype,
        rule.name,
        rule.resource_pattern_type,
        rule.principal,
        rule.host,
        rule.operation,
        rule.permission_type,
    )


def _finish(futures: dict[Any, "Future[Any]"]) -> None:
    for future in futures.values():
        future.result(SECONDS)


if __name__ == "__main__":
    sys.exit(main())
