"""Columns that a unit declares over JSON documents: where each is found, and its exact type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import jsonpath
from jsonpath.selectors import IndexSelector, NameSelector
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from runtime_common.endpoints.descriptor import EndpointModel
from runtime_common.endpoints.json_rows.json_values import TimeFormat, converter

if TYPE_CHECKING:
    from collections.abc import Sequence


class BadValueError(Exception):
    """Why a document can be no row.

    Attributes:
        code: Name of the fault, as failures have it.
        field: Column at fault.
        reason: The rule that is broken; never the value.
    """

    def __init__(self, code: str, field: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.field = field
        self.reason = reason


def steps_of(path: str) -> tuple[str | int, ...]:
    """Return the names and indexes of a path.

    Raises:
        ValueError: It is no JSONPath, or one that may lead to several values.
    """
    try:
        query = jsonpath.compile(path)
    except jsonpath.JSONPathError:
        raise ValueError("must be a JSONPath such as $.total.amount") from None
    if not isinstance(query, jsonpath.JSONPath) or not query.singular_query():
        raise ValueError("must be a JSONPath of names and indexes only, which leads to one value")
    steps: list[str | int] = []
    for segment in query.segments:
        match segment.selectors:
            case [NameSelector(name=step)] | [IndexSelector(index=step)]:
                steps.append(step)
    return tuple(steps)


def _leads_to_one_value(path: str) -> str:
    steps_of(path)
    return path


Path = Annotated[str, StringConstraints(min_length=1, max_length=1024), AfterValidator(_leads_to_one_value)]
"""A JSONPath of names and indexes."""


class DeclaredField(EndpointModel):
    """One column of a JSON document."""

    name: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"),
        Field(title="Column", description="Name of the column", examples=["amount"]),
    ]
    path: Annotated[
        Path | None,
        Field(
            title="Path",
            description="JSONPath (RFC 9535) of names and indexes that leads to one value; the member that is called "
            "like the column when not set",
            examples=["$.total.amount", "$.items[0]['sku']"],
        ),
    ] = None
    type: Annotated[
        str,
        StringConstraints(
            pattern=r"^(text|integer|decimal\(\d+,\d+\)|double|boolean|timestamptz|timestamp|date|json)$"
        ),
        Field(
            title="Type",
            description="text, integer (64 bits), decimal(p,s), double, boolean, timestamptz, timestamp, date, or json "
            "(any value, as JSON text)",
            examples=["decimal(12,2)", "timestamptz"],
        ),
    ]
    nullable: Annotated[
        bool,
        Field(
            title="May be missing",
            description="Otherwise a row without this value is a bad row; a tombstone has no values at all",
            examples=[True],
        ),
    ] = True

    format: Annotated[
        TimeFormat,
        Field(
            title="Format of times",
            description="How a timestamptz or timestamp is written: ISO 8601, or a number since 1970",
            examples=["epochMillis"],
        ),
    ] = "iso"

    @model_validator(mode="after")
    def _has_a_type(self) -> DeclaredField:
        converter(self.type, self.format)
        return self


class FieldReader:
    """Reads one declared field out of parsed JSON.

    Attributes:
        name: Of the column.
        arrow_type: Type that the column has once it is staged.
    """

    def __init__(self, declared: DeclaredField) -> None:
        self.name = declared.name
        self.nullable = declared.nullable
        self._steps = (declared.name,) if declared.path is None else steps_of(declared.path)
        self.arrow_type, self._convert = converter(declared.type, declared.format)

    def read(self, document: Any) -> Any:
        """Return the field's value as Arrow takes it; None where the path leads nowhere or to null.

        Raises:
            BadValueError: The value can't be kept exactly, or there is none where there must be one.
        """
        try:
            value = self._value(document)
            if isinstance(value, str):
                # JSON may hold half a surrogate pair, which no text in UTF-8 can.
                value.encode()
        except UnicodeEncodeError:
            raise BadValueError("VALUE_NOT_REPRESENTABLE", self.name, f"{self.name} is no Unicode text") from None
        except ValueError as error:
            raise BadValueError("VALUE_NOT_REPRESENTABLE", self.name, f"{self.name} {error}") from None
        if value is None and not self.nullable:
            raise self.missing()
        return value

    def missing(self) -> BadValueError:
        """Return the error of a document without this value."""
        return BadValueError("VALUE_MISSING", self.name, f"{self.name} is missing")

    def _value(self, document: Any) -> Any:
        value = value_at(document, self._steps)
        return None if value is None else self._convert(value)


def value_at(document: Any, steps: Sequence[str | int]) -> Any:
    """Return what some steps lead to; None where they lead nowhere."""
    value = document
    for step in steps:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value
