"""One read of the changes of a drive: from the link of a checkpoint, or all there is, to the link that ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime_common.contracts import Cursor, DatasetRef
from runtime_common.endpoints.http_rest.errors import bad_link, no_records, paging_loop
from runtime_common.endpoints.json_rows import DeclaredField, RecordDecoder, value_at
from runtime_common.endpoints.semantic import MetadataBuilder, urn
from runtime_common.endpoints.semantic.records import moment, text
from runtime_common.exceptions import CheckpointMismatchError, ConfigurationError
from runtime_common.protocols import Cut, Rows, SourceRead

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from types import TracebackType

    import pyarrow as pa

    from runtime_common.cancellation import Cancellation
    from runtime_common.http import HttpClient
    from runtime_common.protocols import MetadataTable, ReadRequest

CURSOR_FIELD = "delta"
_GONE = 410
COLUMNS = (
    DeclaredField(name="id", path="$.id", type="text", nullable=False),
    DeclaredField(name="name", path="$.name", type="text"),
    DeclaredField(name="parent_id", path="$.parentReference.id", type="text"),
    DeclaredField(name="folder", path="$.isFolder", type="boolean"),
    DeclaredField(name="size", path="$.size", type="integer"),
    DeclaredField(name="media_type", path="$.file.mimeType", type="text"),
    DeclaredField(name="web_url", path="$.webUrl", type="text"),
    DeclaredField(name="created", path="$.createdDateTime", type="timestamptz"),
    DeclaredField(name="modified", path="$.lastModifiedDateTime", type="timestamptz"),
    DeclaredField(name="created_by_id", path="$.createdBy.user.id", type="text"),
    DeclaredField(name="deleted", path="$.isDeleted", type="boolean"),
)


class DriveRead(SourceRead):
    """See :class:`runtime_common.protocols.SourceRead`.

    Args:
        client: Asks the service; closed with the read.
        drive_id: Which drive.
        request: The unit's.
        cancellation: Ends the read.
    """

    engine = "http"
    cursor_column = None
    upper_bound = None
    null_cursor_rows = 0

    def __init__(self, client: HttpClient, drive_id: str, *, request: ReadRequest, cancellation: Cancellation) -> None:
        _check_request(request)
        self._client = client
        self._drive_id = drive_id
        self._bad_rows = request.bad_rows
        self._cancellation = cancellation
        self._decoder = RecordDecoder(COLUMNS)
        self._metadata = MetadataBuilder()
        self._namespace = f"onedrive://{drive_id}"
        # Where the page that was yielded last ends.
        self.position: str | None = None
        self.schema = self._decoder.schema
        self.schema_fingerprint = self._decoder.fingerprint
        self.dataset = DatasetRef(namespace=self._namespace, name="files", version=None, fields=self._decoder.fields)
        client.get(f"drives/{drive_id}")

    def batches(
        self,
        *,
        lower: str | None,
        upper: str | None,  # noqa: ARG002 - a link has no end
        lookback_seconds: float = 0,
    ) -> Generator[pa.RecordBatch, None, None]:
        """Stream the changes since ``lower``; see the protocol.

        Raises:
            ConfigurationError: A look-back was asked for.
            CheckpointMismatchError: The service has forgotten the link of the checkpoint.
            SourceError: The service fails, or refuses.
            DataError: An item can't be a row.
        """
        if lookback_seconds:
            raise ConfigurationError("a change link has no time to look back by", field="policy.lookbackSeconds")
        seen = set()
        link = lower or f"drives/{self._drive_id}/root/delta"
        while True:
            answer = self._client.get(link, accepted=frozenset({_GONE}))
            if answer.status == _GONE:
                raise _forgotten(committed=lower is not None)
            self._cancellation.check()
            items = value_at(answer.document, ["value"])
            if not isinstance(items, list):
                raise no_records("$.value")
            following = text(answer.document, "@odata.nextLink")
            self.position = following or text(answer.document, "@odata.deltaLink")
            if self.position is None:
                raise bad_link("$['@odata.deltaLink']")
            records = [_marked(item) for item in items]
            for record in records:
                self._note(record)
            decoded = self._decoder.decode(records)
            yield decoded.batch
            for rejected in decoded.rejected:
                self._bad_rows.reject(rejected.row)
            if following is None:
                return
            if following in seen:
                raise paging_loop()
            seen.add(following)
            link = following

    def cutter(
        self,
        *,
        start: Cursor | None,
        slice_rows: int,
        compared: Sequence[str] | None,  # noqa: ARG002 - links tell what was delivered, whatever the columns
    ) -> ChangeCutter:
        """Return what cuts this read.

        Raises:
            CheckpointMismatchError: The cursor was made for something else than this drive.
        """
        if start is not None and start.sql_type != self.sql_type:
            raise CheckpointMismatchError(
                "the checkpoint holds no change link of this drive; define a new unit id with a new target",
                field="source.config.driveId",
            )
        return ChangeCutter(self, slice_rows)

    @property
    def sql_type(self) -> str:
        """Names the drive in each cursor."""
        return f"graph delta, drive {self._drive_id}"

    def take_metadata(self) -> list[MetadataTable]:
        """Return what was seen since the last call."""
        return self._metadata.take()

    def _note(self, record: Any) -> None:
        identity = text(record, "id")
        if identity is None:
            return
        file = urn("File", self._namespace, identity)
        if record["isDeleted"]:
            self._metadata.deletion("File", file)
            return
        size = value_at(record, ["size"])
        self._metadata.entity(
            "File",
            file,
            name=text(record, "name"),
            folder=record["isFolder"],
            size=size if isinstance(size, int) and abs(size) < 2**53 else None,
            mediaType=text(record, "file", "mimeType"),
            sourceCreatedAt=moment(record, "createdDateTime"),
            sourceUpdatedAt=moment(record, "lastModifiedDateTime"),
            externalUrl=text(record, "webUrl"),
        )
        parent = text(record, "parentReference", "id")
        self._metadata.link_set("CHILD_OF", file, [] if parent is None else [urn("File", self._namespace, parent)])
        author = text(record, "createdBy", "user", "id")
        person = None if author is None else urn("Person", "entra", author)
        if person is not None:
            self._metadata.entity("Person", person, name=text(record, "createdBy", "user", "displayName"))
        self._metadata.link_set("AUTHORED_BY", file, [person])

    def __enter__(self) -> DriveRead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()


class ChangeCutter:
    """Ends a slice after any page, once it holds enough rows: the link behind a page goes on exactly there."""

    rows_skipped = 0

    def __init__(self, read: DriveRead, slice_rows: int) -> None:
        self._read = read
        self._slice_rows = slice_rows
        self._rows = 0
        self._position: str | None = None

    def feed(self, batch: pa.RecordBatch) -> Iterator[Rows | Cut]:
        """Yield the rows of one page, before them the end of a slice that is full."""
        if self._rows >= self._slice_rows:
            yield Cut(self._cursor())
            self._rows = 0
        self._position = self._read.position
        self._rows += batch.num_rows
        if batch.num_rows:
            yield Rows(batch)

    def end(self) -> Cut | None:
        """Return the last cut, or None when nothing has changed since the one before."""
        return Cut(self._cursor()) if self._rows else None

    def _cursor(self) -> Cursor:
        return Cursor(
            field=CURSOR_FIELD,
            sql_type=self._read.sql_type,
            family="text",
            time_zone="none",
            precision=0,
            value=self._position or "",
            boundary=[],
            schema_fingerprint=self._read.schema_fingerprint,
        )


def _marked(item: Any) -> dict[str, Any]:
    """Add what an item tells only by having a facet, or not."""
    known = item if isinstance(item, dict) else {}
    return {**known, "isDeleted": "deleted" in known, "isFolder": "folder" in known or "root" in known}


def _forgotten(*, committed: bool) -> CheckpointMismatchError:
    return CheckpointMismatchError(
        "the service has forgotten the change link, and with it which files were deleted since; "
        + (
            "define a new unit id with a new target to read the drive anew"
            if committed
            else "another attempt begins anew"
        ),
        code="CHANGES_EXPIRED",
        field="source.config.driveId",
        retryable=not committed,
    )


def _check_request(request: ReadRequest) -> None:
    if request.cursor_field not in {None, CURSOR_FIELD}:
        raise ConfigurationError(
            f"a drive is read by its changes: set the cursor field to {CURSOR_FIELD!r}", field="unit.cursorField"
        )
    if request.lag_seconds:
        raise ConfigurationError("changes have no lag; set lagSeconds to 0", field="policy.lagSeconds")
    if request.tie_break_field is not None:
        raise ConfigurationError("changes have no ties; remove tieBreakField", field="policy.tieBreakField")
    if request.engine == "spark":
        raise ConfigurationError("a drive is not read by Spark; set engine to auto", field="policy.engine")
