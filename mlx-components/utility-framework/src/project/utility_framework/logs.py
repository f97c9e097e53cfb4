"""Logs as one JSON object a line, with fields that hold for all that is done inside a block."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

_FIELDS: ContextVar[Mapping[str, object]] = ContextVar("log_fields", default={})  # noqa: B039 - never changed in place
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_NAMES = ("time", "level", "logger", "message", "error", "stack")


@contextlib.contextmanager
def log_fields(**fields: object) -> Iterator[None]:
    """Add fields to every line that is logged inside, in this task or thread and those that it starts as tasks.

    Example::

        with log_fields(run="2026-02-01", model="churn"):
            logger.info("trained", extra={"rows": 1000})
    """
    token = _FIELDS.set({**_FIELDS.get(), **fields})
    try:
        yield
    finally:
        _FIELDS.reset(token)


class JsonFormatter(logging.Formatter):
    """One object a line: time (UTC), level, logger, message, the fields of the block, those of ``extra``, the error.

    A field named as one of these gets an underscore behind it. What JSON does not know is written as ``str`` writes it.
    """

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: value for name, value in record.__dict__.items() if name not in _OWN}
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in {**_FIELDS.get(), **extra}.items():
            line[f"{name}_" if name in _NAMES else name] = value
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        return json.dumps(line, ensure_ascii=False, default=str)


class _JsonHandler(logging.StreamHandler[TextIO]):
    """Ours, so that configuring again replaces it and no other."""


def configure_logging(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Write what all loggers say as JSON to ``stream`` (standard error); calling it again replaces the former.

    Raises:
        ValueError: there is no such level.
    """
    handler = _JsonHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.setLevel(level.upper())
    for old in [one for one in root.handlers if isinstance(one, _JsonHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
