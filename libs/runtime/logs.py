"""Logs: one JSON object per line in production, readable lines for a developer. Each line has the request's or event's id."""

import logging
import sys
from typing import Literal, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from libs.values.text import clean

LogFormat = Literal["json", "console"]

_processors: list[Processor] = []  # one list for ever: a logger that was used keeps the list that it found


def configure_logs(service: str, level: str = "INFO", form: LogFormat = "json") -> None:
    """Send structlog's and the standard library's records through one handler on stdout."""

    def name_service(_logger: object, _method: str, event: EventDict) -> EventDict:
        return {"service": service, **event}

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    render: list[Processor] = [
        _clean_texts,
        structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback),
    ]
    if form == "json":
        render = [name_service, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render]
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("pymongo").setLevel(logging.WARNING)
    _processors[:] = [*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter]
    structlog.configure(
        processors=_processors,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=True,
    )


def _clean_texts(_logger: object, _method: str, event: EventDict) -> EventDict:
    """A text in a readable line begins no line of its own and sends no command to the terminal. JSON escapes such characters."""
    return {name: clean(value) if isinstance(value, str) else value for name, value in event.items()}


def get_logger(name: str) -> FilteringBoundLogger:
    """A bound logger: `log.info("file read", lines=3)`. Bind ids with `structlog.contextvars.bound_contextvars`."""
    return cast(FilteringBoundLogger, structlog.get_logger(name))
