"""Source ``example_lines``: text files that are only ever appended to, one row for each line."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pyarrow as pa
from pydantic import Field

from runtime_common.bad_rows import RejectedRow
from runtime_common.contracts import CheckStep, CompleteScope, DatasetField, DatasetRef
from runtime_common.contracts.model import parse
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel, group
from runtime_common.endpoints.plugin import EndpointServices, SourcePlugin
from runtime_common.exceptions import ConfigurationError, InternalError, SourceError, SourceObjectError
from runtime_common.protocols import Check, Collected, CursorColumn, MetadataTable, Sample
from runtime_common.slicing import SliceCutter

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from types import TracebackType

    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import Cursor
    from runtime_common.protocols import ReadRequest

SCHEMA = pa.schema([pa.field("number", pa.int64()), pa.field("line", pa.string())])
_FIELDS = [DatasetField(name="number", type="integer"), DatasetField(name="line", type="text")]
_BATCH_LINES = 10_000


class LinesConfig(EndpointModel):
    """Where the files are."""

    directory: Annotated[
        str,
        Field(
            title="Directory",
            description="Absolute path of the folder on the worker's machine",
            examples=["/srv/logs"],
            pattern=r"^/.+",
            json_schema_extra=group("Location"),
        ),
    ]


class LinesObject(EndpointModel):
    """What a unit reads."""

    file: Annotated[
        str,
        Field(
            title="File",
            description="Name of one file of the directory",
            examples=["orders.txt"],
            pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$",
            json_schema_extra=group("Object"),
        ),
    ]


DESCRIPTOR = EndpointDescriptor(
    id="example_lines",
    title="Lines of text files",
    vendor="example",
    description="Reads text files that are only ever appended to. An incremental unit's cursor field is `number`.",
    role="source",
    version="1",
    capabilities=("metadata.collect", "metadata.preview", "ingest.full", "ingest.incremental"),
    checks=(CheckStep(name="directory", title="Find the directory"), CheckStep(name="list", title="List its files")),
    config_model=LinesConfig,
    object_model=LinesObject,
)


class LinesSource:
    """See :class:`runtime_common.protocols.SourceEndpoint`."""

    def __init__(self, config: LinesConfig) -> None:
        self._directory = Path(config.directory)

    def open(self, request: ReadRequest, cancellation: Cancellation) -> LinesRead:
        """Fix how many lines there are now; those that come later wait for the next run.

        Raises:
            SourceObjectError: There is no such file.
            ConfigurationError: The object is no file name, or the cursor field is another.
        """
        if request.cursor_field not in {None, "number"}:
            raise ConfigurationError("the cursor field of a file is number", field="unit.cursorField")
        return LinesRead(self._path(request.object), request, cancellation)

    def checks(self, cancellation: Cancellation) -> Sequence[Check]:
        """Return the steps of the connection test."""

        def find() -> str:
            if not self._directory.is_dir():
                raise SourceError(
                    f"{self._directory} is no directory; correct the path",
                    code="SOURCE_DIRECTORY_MISSING",
                    field="source.config.directory",
                )
            return f"{self._directory} exists"

        def count() -> str:
            return f"{len(self._files())} file(s) can be seen"

        return (Check(name="directory", run=find), Check(name="list", run=count, needs=("directory",)))

    def preview(self, selected: Mapping[str, Any], *, limit: int, cancellation: Cancellation) -> Sample:
        """Return the first lines."""
        path = self._path(selected)
        with path.open("rb") as file:
            lines = [file.readline() for _ in range(limit + 1)]
        rows = [
            {"number": number, "line": line.decode(errors="replace").rstrip("\n")}
            for number, line in enumerate(lines[:limit], 1)
            if line
        ]
        table = pa.Table.from_pylist(rows, schema=SCHEMA)
        return Sample(dataset=_dataset(path), table=table, truncated=bool(lines[limit]))

    def collect(self, scope: Sequence[str], cancellation: Cancellation) -> Collected:
        """Return the files as data sets."""
        files = [path for path in self._files() if not scope or path.name in scope]
        table = pa.table(
            {"namespace": ["file"] * len(files), "name": [str(path) for path in files], "type": ["file"] * len(files)}
        )
        below = CompleteScope(namespace="file", name_prefix=f"{self._directory}/")
        return Collected(
            tables=iter([MetadataTable(contents="entities", kind="Dataset", table=table)]),
            complete_scopes=[] if scope else [below],
            counts={"files": len(files)},
        )

    def _path(self, selected: Mapping[str, Any]) -> Path:
        path = self._directory / parse(LinesObject, dict(selected), prefix="source.object").file
        if not path.is_file():
            raise SourceObjectError(f"there is no file {path}; correct the name", field="source.object.file")
        return path

    def _files(self) -> list[Path]:
        return sorted(path for path in self._directory.iterdir() if path.is_file())


class LinesRead:
    """The lines that a file had when it was opened; see :class:`runtime_common.protocols.SourceRead`."""

    schema = SCHEMA
    schema_fingerprint = sha256(str(SCHEMA).encode()).hexdigest()
    engine = "example_lines"
    null_cursor_rows = 0

    def __init__(self, path: Path, request: ReadRequest, cancellation: Cancellation) -> None:
        self.dataset = _dataset(path)
        self._bad_rows = request.bad_rows
        self._cancellation = cancellation
        self._file = path.open("rb")
        # A line without its end may still be written.
        self._lines = sum(line.endswith(b"\n") for line in self._file)
        incremental = request.cursor_field is not None
        self.cursor_column = (
            CursorColumn(field="number", sql_type="integer", family="integer", precision=0) if incremental else None
        )
        self.upper_bound = str(self._lines) if incremental and self._lines else None

    def batches(
        self, *, lower: str | None, upper: str | None, lookback_seconds: float = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        """Yield the lines in order, from ``lower`` on, which is inclusive."""
        first, last = int(lower or 1), int(upper or self._lines)
        self._file.seek(0)
        rows: list[dict[str, Any]] = []
        for number, line in enumerate(self._file, 1):
            if number > last:
                break
            if number < first:
                continue
            rows += self._row(number, line)
            if len(rows) == _BATCH_LINES:
                self._cancellation.check()
                yield pa.RecordBatch.from_pylist(rows, schema=SCHEMA)
                rows = []
        yield pa.RecordBatch.from_pylist(rows, schema=SCHEMA)

    def _row(self, number: int, line: bytes) -> Iterator[dict[str, Any]]:
        try:
            yield {"number": number, "line": line.decode().rstrip("\n")}
        except UnicodeDecodeError:
            self._bad_rows.reject(
                RejectedRow(
                    code="INVALID_UTF8", field="line", reason="a line is not UTF-8", row=f'{{"number": {number}}}'
                )
            )

    def cutter(self, *, start: Cursor | None, slice_rows: int, compared: Sequence[str] | None) -> SliceCutter:
        """Return what cuts a read that is ordered by the cursor."""
        if self.cursor_column is None:
            raise InternalError("a full read has no cutter")
        return SliceCutter(
            column=self.cursor_column,
            schema_fingerprint=self.schema_fingerprint,
            start=start,
            slice_rows=slice_rows,
            compared=compared,
        )

    def take_metadata(self) -> list[MetadataTable]:
        """Return nothing: a file says no more than its rows."""
        return []

    def __enter__(self) -> LinesRead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _dataset(path: Path) -> DatasetRef:
    return DatasetRef(namespace="file", name=str(path), version=None, fields=_FIELDS)


def _build(config: EndpointModel, services: EndpointServices) -> LinesSource:
    if not isinstance(config, LinesConfig):
        raise InternalError("example_lines was given the config of another endpoint")
    return LinesSource(config)


ENDPOINT = SourcePlugin(descriptor=DESCRIPTOR, build=_build)
