"""How far one unit has been committed to one sink."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from runtime_common.contracts.model import ContractModel

CursorFamily = Literal["timestamptz", "timestamp", "date", "integer", "decimal", "text", "offsets"]

MAX_BOUNDARY_ROWS = 20_000


class CursorTie(ContractModel):
    """Stands for the boundary where more rows share the watermark than it may list: rows of it up to ``value``.

    ``rows`` counts them and ``digest`` is the source's hash over their tie-break values, so that a row that arrives
    late among them is noticed.
    """

    field: Annotated[str, StringConstraints(min_length=1)]
    value: Annotated[str, StringConstraints(min_length=1)]
    rows: Annotated[int, Field(ge=1)]
    digest: Annotated[str, StringConstraints(min_length=1)]


class Cursor(ContractModel):
    """Watermark of an ordered read.

    ``boundary`` holds the hash of every committed row whose cursor equals ``value``, once per row: two equal rows are
    two entries, so that a third one that arrives late is still new.
    """

    field: Annotated[str, StringConstraints(min_length=1)]
    sql_type: Annotated[str, StringConstraints(min_length=1)]
    family: CursorFamily
    time_zone: Literal["UTC", "none"]
    precision: Annotated[int, Field(ge=0, le=6)]
    value: Annotated[str, StringConstraints(min_length=1)]
    boundary: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]], Field(max_length=MAX_BOUNDARY_ROWS)
    ]
    tie: CursorTie | None = None
    schema_fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Checkpoint(ContractModel):
    """What a run starts from; ``version`` 0 means that nothing was committed under this key yet."""

    version: Annotated[int, Field(ge=0)]
    generation: Annotated[int, Field(ge=1)]
    cursor: Cursor | None
