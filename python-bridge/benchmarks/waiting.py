"""How a sample and the benchmark that has started it speak: a line when ready, a line to begin, a line of results."""

from __future__ import annotations

import json
import sys


def await_word() -> None:
    """Say that everything is prepared and wait until the work may begin."""
    _tell({"ready": True})
    sys.stdin.readline()


def tell_result(**values: float) -> None:
    """Say what came out."""
    _tell(values)


def _tell(message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
