"""Logs: one JSON object a line on standard error, without anything that a person wrote.

An exception is told by its type, the places it passed through and, from PostgreSQL, the code and the constraint.
Its message stays out: it may quote a value (a phone number that is no integer, the key of a duplicate row).
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog
from psycopg import Error as PostgresError
from structlog.typing import EventDict, Processor, WrappedLogger

DEEPEST = 12
"""Places told of an exception, the innermost ones."""


def _plain_exception(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exception()
    elif isinstance(raised, tuple):
        raised = raised[1]
    if isinstance(raised, BaseException):
        event["exception"] = told(raised)
    return event


def told(error: BaseException) -> list[dict[str, Any]]:
    """The exception and its causes, outermost first."""
    chain: list[dict[str, Any]] = []
    while error is not None and len(chain) < 5:
        entry: dict[str, Any] = {"type": type(error).__qualname__, "at": _places(error.__traceback__)}
        if isinstance(error, PostgresError):
            entry |= {"sqlstate": error.sqlstate, "constraint": error.diag.constraint_name}
        chain.append(entry)
        following = error.__cause__ or error.__context__
        if following is None:
            break
        error = following
    return chain


def _places(raised_at: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(raised_at)[-DEEPEST:]
    return [f"{'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno} {frame.name}" for frame in frames]


def only_exceptions(record: logging.LogRecord) -> bool:
    """Of Django's own lines on requests only those of exceptions are new, and without the path: it may be somebody's link."""
    record.msg, record.args = record.getMessage().partition(":")[0], ()
    return bool(record.exc_info)


def settings() -> dict[str, Any]:
    """Django's LOGGING."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _plain_exception,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "filters": {"only_exceptions": {"()": lambda: only_exceptions}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "django": {"level": "WARNING", "handlers": [], "propagate": True},
            "django.request": {"level": "ERROR", "filters": ["only_exceptions"]},
            "psycopg.pool": {"level": "ERROR"},
            "django.server": {"level": "WARNING", "handlers": [], "propagate": True},
        },
    }


def speak() -> None:
    """Long-running processes also tell what goes well; commands only what does not. Jobs that succeed are counted, not told."""
    logging.getLogger("loop311").setLevel(logging.INFO)
