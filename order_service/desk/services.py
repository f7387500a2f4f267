"""How every service does, for the desk's first page."""

from dataclasses import dataclass
from typing import Literal

from order_service.health import health


@dataclass(frozen=True)
class ServiceState:
    """One service. `lag` and `dead_letters` are sums over its consumers; None where nobody knows."""

    name: str
    status: Literal["ok", "degraded", "away"]
    words: str
    lag: int | None
    dead_letters: int | None


def read_states() -> list[ServiceState]:
    """This service's own state."""
    _, report = health.report()
    parts = [part for check in report["checks"].values() for part in check.get("parts", {}).values()]
    down = [
        f"{name}: {check.get('reason', 'down')}" for name, check in report["checks"].items() if check["status"] != "ok"
    ]
    lag = sum(part.get("lag") or 0 for part in parts) if parts else None
    dead = sum(part.get("deadLetters") or 0 for part in parts) if parts else None
    return [ServiceState("order_service", report["status"], "; ".join(down) or "All parts are well", lag, dead)]
