"""JSON that keeps numbers: integers of any size stay integers, fractions are decimals, and neither is rounded."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn


def parse_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: It is no JSON by RFC 8259 (so NaN is refused), or nested too deeply.
    """
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except InvalidOperation:
        raise ValueError("a number beyond what a decimal can hold") from None


def json_text(value: Any) -> str:
    """Return the compact JSON text of what :func:`parse_json` has returned."""
    match value:
        case dict():
            return "{" + ",".join(f"{json_text(name)}:{json_text(inner)}" for name, inner in value.items()) + "}"
        case list():
            return "[" + ",".join(map(json_text, value)) + "]"
        case Decimal():
            # Python's encoder writes floats only, which would round.
            return str(value)
        case _:
            return json.dumps(value, ensure_ascii=False)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
