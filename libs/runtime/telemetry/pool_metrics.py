"""The connections to the database of this process, as a metric."""

from prometheus_client import Gauge

CONNECTIONS = Gauge(
    "db_pool_connections",
    "Connections to the database: all that are open, and those that are in use",
    ["state"],
    multiprocess_mode="livesum",
)
OPEN, IN_USE = CONNECTIONS.labels("open"), CONNECTIONS.labels("in_use")
