"""Log lines: one JSON object each, on standard error. Never what users sent: no pictures, file names, addresses, queries."""

from __future__ import annotations

import json
import logging
import time

_LOGGER = logging.getLogger("tenfold.serve")


def log(event: str, *, level: str = "info", **facts: object) -> None:
    """Write a line: time, level, event and the facts."""
    number = logging.getLevelNamesMapping()[level.upper()]
    if _LOGGER.isEnabledFor(number):
        now = time.time()
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03}Z"
        _LOGGER.log(number, "%s", json.dumps({"time": moment, "level": level, "event": event, **facts}))


def start_logging() -> None:
    """Let the lines out to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False
