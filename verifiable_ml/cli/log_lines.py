# SPDX-License-Identifier: MIT OR Apache-2.0
"""Logs of a daemon: a line an event on standard output, JSON with --json. Fields come from the `fields` of a log record."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

LOGGER = "verifiable_ml.dispute"
SHORT = 12
"""Hex digits of an id that people are shown."""


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        shown = "  ".join(f"{name} {_short(value)}" for name, value in _fields(record).items())
        return f"{at} {record.levelname.lower():<7} {record.getMessage()}  {shown}".rstrip()


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = {"time": at, "level": record.levelname.lower(), "message": record.getMessage()}
        return json.dumps(head | _fields(record), sort_keys=True)


def begin(as_json: bool) -> logging.Handler:
    """Show what the dispute's loggers say from now on. `end` takes it back."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Json() if as_json else _Lines())
    logger = logging.getLogger(LOGGER)
    logger.addHandler(handler)
    logger.setLevel(min(logger.level or logging.INFO, logging.INFO))
    return handler


def end(handler: logging.Handler) -> None:
    """Show nothing any more."""
    logging.getLogger(LOGGER).removeHandler(handler)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields = getattr(record, "fields", {})
    return dict(fields) if isinstance(fields, dict) else {}


def _short(value: object) -> object:
    is_id = isinstance(value, str) and len(value) == 64
    return f"{str(value)[:SHORT]}…" if is_id else f"{value:,}" if isinstance(value, int) else value
