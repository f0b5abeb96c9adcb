"""Cursor values as an API takes them: rounded outwards, so that no record is left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from runtime_common.cursor import TIME_FAMILIES
from runtime_common.endpoints.json_rows import canonical_time
from runtime_common.exceptions import ConfigurationError

if TYPE_CHECKING:
    from runtime_common.contracts import CursorFamily
    from runtime_common.endpoints.http_rest.object import BoundFormat

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEPS: dict[BoundFormat, timedelta] = {
    "value": timedelta(microseconds=1),
    "iso": timedelta(microseconds=1),
    "isoSeconds": timedelta(seconds=1),
    "epochSeconds": timedelta(seconds=1),
    "epochMillis": timedelta(milliseconds=1),
    "date": timedelta(days=1),
}


def check_format(family: CursorFamily, form: BoundFormat, *, exclusive: bool) -> None:
    """Refuse a format that can't tell a cursor of this family.

    Raises:
        ConfigurationError: Names the field.
    """
    if family not in TIME_FAMILIES and form != "value":
        raise ConfigurationError(
            f"the format {form} is one of times; set it to value", field="source.object.incremental.format"
        )
    if exclusive and family == "text":
        raise ConfigurationError(
            "there is no text just below another one; use an API whose bound is inclusive",
            field="source.object.incremental.exclusive",
        )


def lower_text(value: str, family: CursorFamily, form: BoundFormat, *, exclusive: bool) -> str:
    """Return a lower bound as the API takes it, at or below ``value``; below it where the API leaves it out itself."""
    if family == "integer":
        return str(int(value) - 1) if exclusive else value
    if family == "text":
        return value
    step = _STEPS[form]
    steps = (_moment(value) - _EPOCH) // step - int(exclusive)
    return _written(steps * step, family, form)


def upper_text(value: str, family: CursorFamily, form: BoundFormat) -> str:
    """Return an upper bound as the API takes it, at or above ``value``."""
    if family not in TIME_FAMILIES:
        return value
    step = _STEPS[form]
    return _written(-(-(_moment(value) - _EPOCH) // step) * step, family, form)


def _moment(value: str) -> datetime:
    return datetime.fromisoformat(value.rstrip("Z")).replace(tzinfo=UTC)


def _written(since: timedelta, family: CursorFamily, form: BoundFormat) -> str:
    moment = _EPOCH + since
    if form in {"iso", "value"}:
        return canonical_time(moment, family)
    if form == "date":
        return moment.date().isoformat()
    if form == "isoSeconds":
        return moment.strftime("%Y-%m-%dT%H:%M:%S") + ("" if family == "timestamp" else "Z")
    return str(since // _STEPS[form])
