"""Object of the source ``http_rest``: what a unit reads, and how the API pages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from runtime_common.endpoints.descriptor import EndpointModel, group
from runtime_common.endpoints.http_connection import Text
from runtime_common.endpoints.json_rows import DeclaredField, Path

SizeParam = Annotated[
    Text | None,
    Field(title="Size parameter", description="Name of the query parameter for the page size; not sent when not set"),
]
BoundFormat = Literal["iso", "isoSeconds", "epochSeconds", "epochMillis", "date", "value"]
PageSize = Annotated[int, Field(ge=2, le=100_000, title="Page size", description="Records that a page is asked for")]


class NoPaging(EndpointModel):
    """One answer holds all records."""

    kind: Literal["none"] = "none"


class OffsetPaging(EndpointModel):
    """The API skips a number of records."""

    kind: Literal["offset"]
    offset_param: Annotated[Text, Field(title="Offset parameter", description="Query parameter: how many to skip")] = (
        "offset"
    )
    limit_param: Annotated[Text, Field(title="Limit parameter", description="Query parameter: how many to answer")] = (
        "limit"
    )
    page_size: PageSize = 100
    total_path: Annotated[
        Path | None, Field(title="Path of the total", description="Leads to the number of all records")
    ] = None


class PagePaging(EndpointModel):
    """The API numbers its pages."""

    kind: Literal["page"]
    page_param: Annotated[Text, Field(title="Page parameter", description="Query parameter: number of the page")] = (
        "page"
    )
    size_param: SizeParam = None
    page_size: PageSize = 100
    first_page: Annotated[int, Field(title="First page", description="Number of the first page", ge=0, le=1)] = 1
    more_path: Annotated[
        Path | None,
        Field(title="Path of 'more'", description="Leads to true while there are more pages; else an empty page ends"),
    ] = None
    stable: Annotated[
        bool,
        Field(
            title="Pages are stable",
            description="Whether records keep their places while they are read; incremental units need it",
        ),
    ] = False


class CursorPaging(EndpointModel):
    """Each answer holds a token for the next page."""

    kind: Literal["cursor"]
    cursor_param: Annotated[Text, Field(title="Cursor parameter", description="Query parameter: the token")] = "cursor"
    token_path: Annotated[Path, Field(title="Path of the token", description="Missing, null or empty at the end")]
    size_param: SizeParam = None
    page_size: PageSize = 100


class LinkPaging(EndpointModel):
    """Each answer holds the URL of the next page: in its Link header (RFC 8288), or in its body."""

    kind: Literal["link"]
    next_path: Annotated[
        Path | None, Field(title="Path of the URL", description="Into the body; the Link header when not set")
    ] = None
    size_param: SizeParam = None
    page_size: PageSize = 100


Paging = Annotated[NoPaging | OffsetPaging | PagePaging | CursorPaging | LinkPaging, Field(discriminator="kind")]


class Incremental(EndpointModel):
    """How the API takes bounds of the cursor."""

    param: Annotated[
        Text | None,
        Field(title="Parameter of the lower bound", description="Without it all records are read and compared here"),
    ] = None
    upper_param: Annotated[
        Text | None,
        Field(title="Parameter of the upper bound", description="Gets the end of the run, where the API takes one"),
    ] = None
    format: Annotated[
        BoundFormat,
        Field(
            title="Format",
            description="How a time is written: ISO 8601 to microseconds or seconds, a number since 1970, a date, or "
            "the value as it is in the checkpoint. Rounded so that nothing is left out",
        ),
    ] = "iso"
    exclusive: Annotated[
        bool,
        Field(title="Lower bound is exclusive", description="Then the bound that is sent lies one step lower"),
    ] = False
    ordered: Annotated[
        bool,
        Field(
            title="Ordered by the cursor",
            description="The API delivers by the cursor, ascending: then a run is committed slice by slice",
        ),
    ] = False


class HttpRestObject(EndpointModel):
    """What a unit reads."""

    path: Annotated[
        Text,
        Field(
            title="Path",
            description="Below the base URL",
            examples=["orders"],
            json_schema_extra=group("Object"),
        ),
    ]
    params: Annotated[
        dict[str, str],
        Field(
            title="Query parameters",
            description="Sent with each request, e.g. filters and the order",
            examples=[{"status": "open", "sort": "updated"}],
            max_length=50,
            json_schema_extra=group("Object"),
        ),
    ] = Field(default_factory=dict)
    records: Annotated[
        Path,
        Field(
            title="Path of the records",
            description="JSONPath of names and indexes that leads to the list of records",
            examples=["$.items"],
            json_schema_extra=group("Object"),
        ),
    ] = "$"
    fields: Annotated[
        list[DeclaredField],
        Field(
            title="Fields",
            description="The columns, each with its path within a record and its type",
            examples=[[{"name": "id", "type": "integer", "nullable": False}]],
            min_length=1,
            max_length=1000,
            json_schema_extra=group("Fields"),
        ),
    ]
    paging: Annotated[
        Paging,
        Field(
            title="Paging",
            description="How the next page is asked for",
            examples=[{"kind": "cursor", "tokenPath": "$.next"}],
            json_schema_extra=group("Paging"),
        ),
    ] = Field(default_factory=NoPaging)
    incremental: Annotated[
        Incremental,
        Field(
            title="Incremental reads",
            description="How the API takes bounds of the cursor",
            examples=[{"param": "updated_since", "format": "isoSeconds"}],
            json_schema_extra=group("Incremental"),
        ),
    ] = Field(default_factory=Incremental)

    @model_validator(mode="after")
    def _names_are_unique(self) -> HttpRestObject:
        names = [one.name for one in self.fields]
        doubled = next((name for name in names if names.count(name) > 1), None)
        if doubled is not None:
            raise ValueError(f"two fields are called {doubled!r}; give each a name of its own")
        return self
