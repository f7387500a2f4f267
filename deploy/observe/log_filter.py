"""Which lines `make logs` shows: those of an order, a trace, a request, a service, or of some weight."""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from deploy.local.errors import LocalError
from deploy.local.services import PROCESS_NAMES, SERVICES
from deploy.log_lines import LEVELS, LogLine

Form = tuple[re.Pattern[str], str]
"""What the value of a variable matches, and the same in words."""


def _one_of(*values: str, flags: re.RegexFlag = re.NOFLAG) -> Form:
    return re.compile("|".join(values), flags), f"one of {', '.join(values)}"


FORMS: Mapping[str, Form] = {
    "ORDER": (re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}"), "an order's id has 26 characters"),
    "TRACE": (re.compile(r"[0-9a-f]{32}"), "a trace's id has 32 hex digits"),
    "REQUEST": (re.compile(r"[A-Za-z0-9._-]{1,64}"), "up to 64 letters, digits, dots, underscores and dashes"),
    "SERVICE": _one_of(*sorted({name for s in SERVICES for name in (s.name, s.package, s.package[:-8])})),
    "LEVEL": _one_of(*LEVELS, flags=re.IGNORECASE),
    "SERVERS": _one_of("0", "1"),
}
HELD = 5000  # lines whose trace may turn out to be one that is asked for
OF_ORDERS = ("order-", "stock-", "mail-resend-requested")


@dataclass
class LogFilter:
    """Chooses lines. It learns the traces of the order or request, and then also chooses their lines."""

    order: str = ""
    trace: str = ""
    request: str = ""
    service: str = ""
    level: str = ""
    servers: bool = False
    _traces: set[str] = field(init=False, default_factory=set)
    _held: deque[LogLine] = field(init=False, default_factory=lambda: deque(maxlen=HELD))

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "LogFilter":
        """From the variables of `make logs`, by the names of FORMS. Raises LocalError for a value of another form."""
        for name, value in given.items():
            pattern, words = FORMS[name]
            if not pattern.fullmatch(value):
                raise LocalError(f"{name}={value} is not valid: {words}")
        values = {name.lower(): value for name, value in given.items() if name != "SERVERS"}
        return cls(**values, servers=given.get("SERVERS") == "1")

    @property
    def looks_back(self) -> bool:
        """True when the whole logs are searched, and not the last lines alone."""
        return bool(self.order or self.trace or self.request)

    @property
    def processes(self) -> tuple[str, ...]:
        """The processes whose logs are read."""
        if self.service:
            packages = {service.name: service.package for service in SERVICES}
            wanted = self.service
            return tuple(n for n, p in packages.items() if wanted in (n, p, p.removesuffix("_service")))
        return PROCESS_NAMES if self.servers else tuple(service.name for service in SERVICES)

    def choose(self, line: LogLine) -> Iterator[LogLine]:
        """The lines to show now: this one, and earlier ones of a trace that it names."""
        if not self._is_about(line):
            self._held.append(line)
            return
        trace = line.text("trace_id")
        if trace and self._leads_to(line) and trace not in self._traces:
            self._traces.add(trace)
            yield from (held for held in list(self._held) if self._is_about(held) and self._is_grave(held))
        if self._is_grave(line):
            yield line

    def _is_about(self, line: LogLine) -> bool:
        if not self.looks_back:
            return True
        if self._leads_to(line):
            return True
        if line.text("trace_id") not in self._traces or not line.text("trace_id"):
            return False
        of_another = line.text("topic").startswith(OF_ORDERS) and line.text("aggregate_id") != self.order
        return not (self.order and of_another)

    def _leads_to(self, line: LogLine) -> bool:
        """True for a line that names the order, the trace or the request itself."""
        if self.trace:
            return line.text("trace_id") == self.trace
        if self.request:
            return line.text("request_id") == self.request
        return bool(self.order) and self.order in (line.text("aggregate_id"), line.text("order"))

    def _is_grave(self, line: LogLine) -> bool:
        if not self.level:
            return True
        return line.level in LEVELS and LEVELS.index(line.level) >= LEVELS.index(self.level.lower())
