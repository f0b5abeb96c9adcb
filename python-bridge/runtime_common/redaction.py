"""Keeps opened secrets out of every text that leaves the process."""

from __future__ import annotations

import json
import threading
from urllib.parse import quote, quote_plus

MASK = "[secret]"
# Shorter values would mask ordinary words ("a", "db") all over the logs and still not be protected by it.
_SHORTEST_MASKED = 4
_lock = threading.Lock()
_known: set[str] = set()


def register_secret(value: str) -> None:
    """Remember an opened secret, in the forms in which drivers may print it, for the life of the process."""
    if len(value) < _SHORTEST_MASKED:
        return
    forms = {
        value,
        quote(value, safe=""),
        quote_plus(value),
        repr(value)[1:-1],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        value.replace("'", "''"),
        value.replace("\\", "\\\\").replace("'", "\\'"),
    }
    with _lock:
        _known.update(forms)


def redact(text: str) -> str:
    """Return ``text`` with every known secret masked, the longest first."""
    with _lock:
        known = sorted(_known, key=len, reverse=True)
    for secret in known:
        text = text.replace(secret, MASK)
    return text
