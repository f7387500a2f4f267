"""What a change of .env concerns in a running shop: the servers, the services' processes, and the jobs that read it.

The settings of the last start are kept beside the plans of the processes. They hold secrets, so only their owner may read them.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.services import JOBS, SERVICES, Job, Service, environment
from deploy.local.settings import Settings
from deploy.local.state import State
from deploy.service_list import mongo_names

SERVERS: Mapping[str, tuple[str, ...]] = {
    "mysql": (
        *("MYSQL_PORT", "MYSQL_DATABASE", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD"),
        *("MYSQL_MIGRATE_USER", "MYSQL_MIGRATE_PASSWORD"),
    ),
    "mongo": tuple(f"MONGO_URI_{name.upper()}" for name in mongo_names()),
    "kafka": ("KAFKA_BROKERS", "KAFKA_CONTROLLER_PORT"),
    "mail": ("SMTP_SERVER", "SMTP_PORT", "MAIL_PAGE_PORT"),
}
"""The variables from which stack.py makes each server."""


@dataclass(frozen=True)
class Changes:
    """The variables that differ from those of the last start, and what reads them."""

    names: tuple[str, ...]
    servers: tuple[str, ...]
    services: tuple[Service, ...]
    jobs: tuple[Job, ...]


def record(state: State, settings: Settings) -> None:
    """Keep the settings that the processes have. From then on the shop counts as up."""
    path = state.ready
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(dict(settings.values), file)
    fresh.replace(path)


def find_changes(state: State, settings: Settings) -> Changes:
    """Compare the settings with those of the last start."""
    before = Settings(json.loads(state.ready.read_text()), settings.source)
    return compare(before, settings)


def compare(before: Settings, after: Settings) -> Changes:
    """What a change from `before` to `after` concerns."""
    names = {
        name for name in before.values.keys() | after.values.keys() if before.values.get(name) != after.values.get(name)
    }
    return Changes(
        names=tuple(sorted(names)),
        servers=tuple(server for server, read in SERVERS.items() if names.intersection(read)),
        services=tuple(s for s in SERVICES if environment(s.package, before) != environment(s.package, after)),
        jobs=tuple(job for job in JOBS if job.needs_staff and names & {"STAFF_EMAIL", "STAFF_PASSWORD"}),
    )
