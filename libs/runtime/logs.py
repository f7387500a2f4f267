"""Logs: one JSON object per line in production, readable lines for a developer. Each line has the request's or event's id."""

import logging
import sys
from collections.abc import Callable
from typing import Any, Literal, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from libs.runtime.json_lines import LineLogger, line_writer, render_line
from libs.values.text import clean

LogFormat = Literal["json", "console"]

_processors: list[Processor] = []  # one list for ever: a logger that was used keeps the list that it found


def configure_logs(service: str, level: str = "INFO", form: LogFormat = "json") -> None:
    """Send structlog's and the standard library's records to stdout.

    Lines of structlog as JSON skip the standard library, whose handler has a lock (libs.runtime.json_lines).
    """

    def name_service(_logger: object, _method: str, event: EventDict) -> EventDict:
        return {"service": service, **event}

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    if form == "json":
        render: list[Processor] = [name_service, structlog.processors.format_exc_info]
        write = line_writer()
        _configure_library(level, shared, [*render, structlog.processors.JSONRenderer()])
        _configure_structlog(level, [*shared, *render, _to_line], lambda name="": LineLogger(name, write))
    else:
        colors, format_exception = sys.stdout.isatty(), structlog.dev.plain_traceback
        console = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=format_exception)
        _configure_library(level, shared, [_clean_texts, console])
        wrap = structlog.stdlib.ProcessorFormatter.wrap_for_formatter
        _configure_structlog(level, [*shared, wrap], structlog.stdlib.LoggerFactory())


def _configure_library(level: str, shared: list[Processor], render: list[Processor]) -> None:
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render]
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("pymongo").setLevel(logging.WARNING)


def _configure_structlog(level: str, processors: list[Processor], factory: Callable[..., Any]) -> None:
    _processors[:] = processors
    structlog.configure(
        processors=_processors,
        logger_factory=factory,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=True,
    )


def _to_line(_logger: object, _method: str, event: EventDict) -> bytes:
    return render_line(event)


def _clean_texts(_logger: object, _method: str, event: EventDict) -> EventDict:
    """A text in a readable line begins no line of its own and sends no command to the terminal. JSON escapes such characters."""
    return {name: clean(value) if isinstance(value, str) else value for name, value in event.items()}


def get_logger(name: str) -> FilteringBoundLogger:
    """A bound logger: `log.info("file read", lines=3)`. Bind ids with `structlog.contextvars.bound_contextvars`."""
    return cast(FilteringBoundLogger, structlog.get_logger(name))
