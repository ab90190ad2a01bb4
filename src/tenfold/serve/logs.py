"""Log lines: one JSON object each, on standard error. Never what users sent: no pictures, file names, addresses, queries."""

from __future__ import annotations

import json
import logging
import time

_LOGGER = logging.getLogger("tenfold.serve")
_OTHERS = ("uvicorn", "asyncio")
_NEEDLESS = (  # the request has its own line, and there is nothing to install
    "Invalid HTTP request received.",
    "Unsupported upgrade request.",
    "No supported WebSocket library detected.",
)


def log(event: str, *, level: str = "info", **facts: object) -> None:
    """Write a line: time, level, event and the facts."""
    number = logging.getLevelNamesMapping()[level.upper()]
    if _LOGGER.isEnabledFor(number):
        _LOGGER.log(number, "%s", _line(time.time(), level, event, facts))


def start_logging() -> None:
    """Let the lines out to standard error, and what the libraries have to say as lines of the same form."""
    _lead_out(_LOGGER, logging.INFO, logging.Formatter("%(message)s"))
    for name in _OTHERS:
        handler = _lead_out(logging.getLogger(name), logging.WARNING, _AsLine())
        handler.addFilter(lambda record: not str(record.msg).startswith(_NEEDLESS))


class _AsLine(logging.Formatter):
    """A line without traceback: what its last entry says may be what a user sent."""

    def format(self, record: logging.LogRecord) -> str:
        return _line(record.created, record.levelname.lower(), "library", {"message": record.getMessage()})


def _line(moment: float, level: str, event: str, facts: dict[str, object]) -> str:
    written = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment * 1000) % 1000:03}Z"
    return json.dumps({"time": written, "level": level, "event": event, **facts})


def _lead_out(logger: logging.Logger, level: int, formatter: logging.Formatter) -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
    return handler
