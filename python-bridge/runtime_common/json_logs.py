"""Logs as JSON lines on stdout, with every known secret masked."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from runtime_common.redaction import redact


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
        }
        data = getattr(record, "data", None)
        if isinstance(data, dict):
            line.update(data)
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(_masked(line))


def _masked(value: object) -> object:
    """Mask the values before they become JSON: escaping could hide a secret from a search in the finished line."""
    if isinstance(value, dict):
        return {redact(str(name)): _masked(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_masked(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))


def configure_logs(level: str) -> None:
    """Send all logs of the process to stdout."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Chatty at info: one line per request or per JVM call.
    for name in ("httpx", "httpcore", "py4j"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
