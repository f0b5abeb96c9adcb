"""Builds endpoints from template id and config."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from runtime_common.contracts.model import parse
from runtime_common.endpoints import iceberg, jdbc_postgres, parquet_files
from runtime_common.endpoints.descriptor import template_list
from runtime_common.exceptions import IngestionError, UnknownTemplateError
from runtime_common.sealed_secrets import SecretKey, open_config

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_common.contracts import EndpointRef, TemplateList
    from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel
    from runtime_common.protocols import SinkEndpoint, SourceEndpoint
    from runtime_common.spark import SparkEngine

Entry = TypeVar("Entry")


class EndpointFactory:
    """Knows every endpoint of this worker.

    Args:
        secret_key: Opens sealed secrets; None if no config holds one.
        spark: The worker's one Spark session, for the endpoints that need it.
    """

    def __init__(self, *, secret_key: SecretKey | None, spark: SparkEngine) -> None:
        self._secret_key = secret_key
        self._sources: dict[str, tuple[EndpointDescriptor, Callable[[EndpointModel], SourceEndpoint]]] = {
            jdbc_postgres.DESCRIPTOR.id: (jdbc_postgres.DESCRIPTOR, jdbc_postgres.build),
        }
        self._sinks: dict[str, tuple[EndpointDescriptor, Callable[[EndpointModel], SinkEndpoint]]] = {
            iceberg.DESCRIPTOR.id: (iceberg.DESCRIPTOR, lambda config: iceberg.build(config, spark)),
            parquet_files.DESCRIPTOR.id: (parquet_files.DESCRIPTOR, parquet_files.build),
        }

    def templates(self) -> TemplateList:
        """Return the descriptors of all endpoints."""
        return template_list([entry[0] for entry in (*self._sources.values(), *self._sinks.values())])

    def source(self, ref: EndpointRef) -> SourceEndpoint:
        """Build a source.

        Raises:
            UnknownTemplateError: No source of that template.
            ConfigurationError: The config breaks the template's schema.
            SecretError: A secret can't be opened.
        """
        descriptor, build = _lookup(self._sources, ref.template_id, "source")
        return build(self._config(ref, descriptor, "source"))

    def sink(self, ref: EndpointRef) -> SinkEndpoint:
        """Build a sink; raises like :meth:`source`."""
        descriptor, build = _lookup(self._sinks, ref.template_id, "sink")
        return build(self._config(ref, descriptor, "sink"))

    def sink_descriptor(self, ref: EndpointRef) -> EndpointDescriptor:
        """Return what the sink can do.

        Raises:
            UnknownTemplateError: No sink of that template.
        """
        return _lookup(self._sinks, ref.template_id, "sink")[0]

    def _config(self, ref: EndpointRef, descriptor: EndpointDescriptor, side: str) -> EndpointModel:
        try:
            opened = open_config(ref.config, endpoint_id=ref.endpoint_id, key=self._secret_key)
        except IngestionError as error:
            error.field = f"{side}.{error.field}" if error.field else None
            raise
        return parse(descriptor.config_model, opened, prefix=f"{side}.config")


def _lookup(entries: dict[str, Entry], template_id: str, side: str) -> Entry:
    try:
        return entries[template_id]
    except KeyError:
        raise UnknownTemplateError(
            f"this worker has no {side} template {template_id!r}; it knows {', '.join(sorted(entries))}",
            field=f"{side}.templateId",
        ) from None
