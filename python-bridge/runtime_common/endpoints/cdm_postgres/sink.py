"""Sink ``cdm_postgres``: its descriptor, and what brings a slice into a canonical table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from runtime_common.endpoints.cdm_postgres.config import QUARANTINE_SUFFIX, CdmPostgresConfig, EntityMapping
from runtime_common.endpoints.cdm_postgres.mapping import DELETED_COLUMN, ORDER_COLUMN, RowMapper, source_columns
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel
from runtime_common.endpoints.plugin import EndpointServices, SinkPlugin
from runtime_common.endpoints.postgres_tables.delivery import (
    CHUNK_ROWS,
    Delivery,
    check_delete_field,
    plain_delivery,
    staged_schema,
)
from runtime_common.endpoints.postgres_tables.sink import CHECKS, PostgresTablesSink
from runtime_common.endpoints.postgres_tables.tables import unit_columns
from runtime_common.exceptions import ConfigurationError, InternalError

if TYPE_CHECKING:
    from runtime_common.protocols import CommitRequest, RecordReader

DESCRIPTOR = EndpointDescriptor(
    id="cdm_postgres",
    title="Canonical tables in PostgreSQL",
    vendor="postgres",
    description=(
        "Maps rows to the canonical entities party, contact, product, sales_order and sales_order_line, and merges "
        "them into tables of PostgreSQL 14 or later, one transaction for each slice."
    ),
    role="sink",
    version="1",
    capabilities=("ingest.full", "ingest.incremental"),
    checks=CHECKS,
    write_modes=("merge",),
    delivery_guarantee=(
        "Effectively once: run and batch id are written in the transaction of the rows, under a lock of the table; "
        "a repeated slice changes nothing."
    ),
    config_model=CdmPostgresConfig,
)


class CdmPostgresSink(PostgresTablesSink):
    """A unit's target names a mapping; its rows go into the table of the mapping's entity."""

    def __init__(self, config: CdmPostgresConfig) -> None:
        super().__init__(config)
        self._mappings = {mapping.target: mapping for mapping in config.mappings}

    def table_of(self, target: str) -> str:
        """Return the entity's table, or the quarantine of a mapping.

        Raises:
            ConfigurationError: No mapping has that target.
        """
        return target if self._is_quarantine(target) else self._mapping(target).entity

    def delivery(self, request: CommitRequest, reader: RecordReader) -> Delivery:
        """Return the slice in canonical columns.

        Raises:
            ConfigurationError: The unit's key is not what the entity's key comes from.
            SinkSchemaError: A field can't be filled from the slice's columns.
        """
        if self._is_quarantine(request.target):
            return plain_delivery(request, reader)
        mapping = self._mapping(request.target)
        entity = mapping.model
        origins = source_columns(mapping, entity.key)
        if set(request.primary_key) != origins:
            raise ConfigurationError(
                f"the key of {entity.name} comes from {', '.join(sorted(origins))}; make these the unit's primary key",
                field="unit.primaryKey",
            )
        schema = staged_schema(reader)
        if request.delete_field is not None:
            check_delete_field(request.delete_field, schema.names)
        mapper = RowMapper(mapping, schema, order=request.cursor_field, delete_field=request.delete_field)
        return Delivery(
            columns=unit_columns(mapper.schema),
            declared=unit_columns(pa.schema([pa.field(field.name, field.type) for field in entity.fields])),
            required=entity.required,
            written=list(mapping.fields),
            key=entity.key,
            order=[ORDER_COLUMN] if request.cursor_field is not None else [],
            delete_field=DELETED_COLUMN if request.delete_field is not None else None,
            batches=lambda: mapper.batches(reader.iter_batches(CHUNK_ROWS)),
        )

    def _is_quarantine(self, target: str) -> bool:
        return target.removesuffix(QUARANTINE_SUFFIX) in self._mappings and target not in self._mappings

    def _mapping(self, target: str) -> EntityMapping:
        try:
            return self._mappings[target]
        except KeyError:
            raise ConfigurationError(
                f"the sink has no mapping for the target {target!r}; it has {', '.join(sorted(self._mappings))}",
                field="unit.target",
            ) from None


def _build(config: EndpointModel, services: EndpointServices) -> CdmPostgresSink:  # noqa: ARG001
    if not isinstance(config, CdmPostgresConfig):
        raise InternalError("cdm_postgres was given the config of another endpoint")
    return CdmPostgresSink(config)


ENDPOINT = SinkPlugin(descriptor=DESCRIPTOR, build=_build)
