"""Runs units the way the control plane does: keeps the checkpoint, counts fences, may 'crash' before storing it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ingestion_runtime.ingestion import RuntimeEnvironment, run_ingestion
from runtime_common.cancellation import Cancellation
from runtime_common.contracts import Checkpoint, RunIngestionUnitInput, RunIngestionUnitResult
from runtime_common.endpoints import EndpointFactory
from runtime_common.run_metadata import RunMetadataFolder
from runtime_common.spark import SparkEngine
from runtime_common.staging import PROVIDER_ID, LocalDirectoryStaging

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runtime_common.protocols import StagingProvider

EMPTY = Checkpoint(version=0, generation=1, cursor=None)


@dataclass(frozen=True)
class Database:
    """A database of one test file."""

    url: str

    def execute(self, statement: str, *arguments: object) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode(), arguments or None)

    def config(self, **changes: object) -> dict[str, Any]:
        """Config of a jdbc_postgres source, password in clear as after opening."""
        parts = conninfo_to_dict(self.url)
        return {
            "host": parts["host"],
            "port": int(str(parts["port"])),
            "database": parts["dbname"],
            "user": parts["user"],
            "password": parts["password"],
        } | changes


@dataclass
class Unit:
    """One unit with one sink."""

    source: Mapping[str, Any]
    sink_template: str
    sink_config: Mapping[str, Any]
    staging: StagingProvider
    table: str
    metadata_root: Path
    source_template: str = "jdbc_postgres"
    object: Mapping[str, Any] | None = None
    sink_id: str = "sink-1"
    extraction_id: uuid.UUID | None = None
    spark: SparkEngine = field(default_factory=lambda: SparkEngine(jars=None))
    mode: str = "incremental"
    cursor_field: str | None = "at"
    primary_key: tuple[str, ...] = ("id",)
    target: str = "events"
    write_mode: str = "append"
    policy: Mapping[str, Any] = field(default_factory=dict)
    checkpoint: Checkpoint = EMPTY
    factory: EndpointFactory | None = None
    fence: int = 0

    def changed(self, **changes: Any) -> Unit:
        return replace(self, **changes)

    def request(self, run_id: uuid.UUID | None = None) -> RunIngestionUnitInput:
        self.fence += 1
        return RunIngestionUnitInput.model_validate(
            {
                "endpointId": "source-1",
                "unitId": self.table,
                "sinkId": self.sink_id,
                "checkpoint": self.checkpoint.to_wire(),
                "policy": dict(self.policy),
                "execution": {
                    "runId": str(run_id or uuid.uuid4()),
                    "fence": self.fence,
                    "extractionId": None if self.extraction_id is None else str(self.extraction_id),
                    "source": {
                        "endpointId": "source-1",
                        "templateId": self.source_template,
                        "config": dict(self.source),
                    },
                    "sink": {
                        "endpointId": self.sink_id,
                        "templateId": self.sink_template,
                        "config": dict(self.sink_config),
                    },
                    "unit": {
                        "object": dict(
                            {"schema": "public", "table": self.table} if self.object is None else self.object
                        ),
                        "mode": self.mode,
                        "cursorField": self.cursor_field,
                        "primaryKey": list(self.primary_key),
                        "target": self.target,
                        "writeMode": self.write_mode,
                    },
                },
            }
        )

    def run(
        self,
        *,
        run_id: uuid.UUID | None = None,
        attempt: int = 1,
        store_checkpoint: bool = True,
        cancellation: Cancellation | None = None,
    ) -> RunIngestionUnitResult:
        result = run_ingestion(
            self.request(run_id),
            RuntimeEnvironment(
                factory=self.factory or EndpointFactory(secret_key=None, spark=self.spark),
                staging={PROVIDER_ID: self.staging},
                metadata=RunMetadataFolder(self.metadata_root),
                attempt=attempt,
                cancellation=cancellation or Cancellation(),
            ),
        )
        if store_checkpoint:
            cursor = result.new_checkpoint.cursor if result.new_checkpoint else self.checkpoint.cursor
            self.checkpoint = Checkpoint(version=self.checkpoint.version + 1, generation=1, cursor=cursor)
        return result


def parquet_unit(database: Database, folder: Path, table: str = "events", **changes: Any) -> Unit:
    return Unit(
        source=database.config(),
        sink_template="parquet_files",
        sink_config={"directory": str(folder / "sink")},
        staging=LocalDirectoryStaging(folder / "staging"),
        table=table,
        metadata_root=folder / "metadata",
    ).changed(**changes)
