"""Builds endpoints from template id and config."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from runtime_common.contracts.model import parse
from runtime_common.endpoints import (
    cdm_postgres,
    confluence,
    hdfs,
    http_rest,
    iceberg,
    jdbc_postgres,
    jira,
    kafka,
    onedrive,
    parquet_files,
    postgres_tables,
    warehouse,
)
from runtime_common.endpoints.descriptor import template_list
from runtime_common.endpoints.plugin import EndpointServices, SinkPlugin, SourcePlugin, by_id, installed_plugins
from runtime_common.exceptions import IngestionError, UnknownTemplateError
from runtime_common.http import AddressRules
from runtime_common.sealed_secrets import SecretKey, open_config

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runtime_common.contracts import EndpointRef, EndpointRole, TemplateList
    from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel
    from runtime_common.endpoints.plugin import EndpointPlugin
    from runtime_common.protocols import SinkEndpoint, SourceEndpoint
    from runtime_common.spark import SparkEngine

Plugin = TypeVar("Plugin", SourcePlugin, SinkPlugin)

BUILT_IN: tuple[EndpointPlugin, ...] = (
    cdm_postgres.ENDPOINT,
    confluence.ENDPOINT,
    hdfs.ENDPOINT,
    http_rest.ENDPOINT,
    iceberg.ENDPOINT,
    jdbc_postgres.ENDPOINT,
    jira.ENDPOINT,
    kafka.ENDPOINT,
    onedrive.ENDPOINT,
    parquet_files.ENDPOINT,
    postgres_tables.ENDPOINT,
    warehouse.ENDPOINT,
)


class EndpointFactory:
    """Knows every endpoint of this worker: those of this package and those of installed plugins.

    Args:
        secret_key: Opens sealed secrets; None if no config holds one.
        spark: The worker's one Spark session, for the endpoints that need it.
        http_addresses: Which addresses HTTP endpoints may reach; None for public ones alone.
        plugins: The endpoints; None for those of this package and of installed ones.

    Raises:
        ConfigurationError: Two endpoints have the same template id.
    """

    def __init__(
        self,
        *,
        secret_key: SecretKey | None,
        spark: SparkEngine,
        http_addresses: AddressRules | None = None,
        plugins: Iterable[EndpointPlugin] | None = None,
    ) -> None:
        self._secret_key = secret_key
        self._services = EndpointServices(spark=spark, http_addresses=http_addresses or AddressRules())
        self._plugins = by_id([*BUILT_IN, *installed_plugins()] if plugins is None else plugins)

    def templates(self) -> TemplateList:
        """Return the descriptors of all endpoints."""
        return template_list([plugin.descriptor for plugin in self._plugins.values()])

    def source(self, ref: EndpointRef) -> SourceEndpoint:
        """Build a source.

        Raises:
            UnknownTemplateError: No source of that template.
            ConfigurationError: The config breaks the template's schema.
            SecretError: A secret can't be opened.
        """
        plugin = _of_role(self._plugins, SourcePlugin, ref.template_id, "source")
        return plugin.build(self._config(ref, plugin.descriptor, "source"), self._services)

    def sink(self, ref: EndpointRef) -> SinkEndpoint:
        """Build a sink; raises like :meth:`source`."""
        plugin = _of_role(self._plugins, SinkPlugin, ref.template_id, "sink")
        return plugin.build(self._config(ref, plugin.descriptor, "sink"), self._services)

    def endpoint(self, ref: EndpointRef, role: EndpointRole) -> SourceEndpoint | SinkEndpoint:
        """Build an endpoint of any role; raises like :meth:`source`."""
        if role == "source":
            return self.source(ref)
        if role == "sink":
            return self.sink(ref)
        raise _unknown(ref.template_id, role, known=[])

    def descriptor(self, ref: EndpointRef, role: EndpointRole) -> EndpointDescriptor:
        """Return what an endpoint says about itself.

        Raises:
            UnknownTemplateError: No endpoint of that template and role.
        """
        if role == "source":
            return _of_role(self._plugins, SourcePlugin, ref.template_id, role).descriptor
        if role == "sink":
            return _of_role(self._plugins, SinkPlugin, ref.template_id, role).descriptor
        raise _unknown(ref.template_id, role, known=[])

    def _config(self, ref: EndpointRef, descriptor: EndpointDescriptor, side: EndpointRole) -> EndpointModel:
        try:
            opened = open_config(ref.config, endpoint_id=ref.endpoint_id, key=self._secret_key)
        except IngestionError as error:
            error.field = f"{side}.{error.field}" if error.field else None
            raise
        return parse(descriptor.config_model, opened, prefix=f"{side}.config")


def _of_role(plugins: Mapping[str, EndpointPlugin], kind: type[Plugin], template_id: str, side: EndpointRole) -> Plugin:
    plugin = plugins.get(template_id)
    if isinstance(plugin, kind):
        return plugin
    raise _unknown(template_id, side, known=[name for name, one in plugins.items() if isinstance(one, kind)])


def _unknown(template_id: str, side: EndpointRole, *, known: list[str]) -> UnknownTemplateError:
    return UnknownTemplateError(
        f"this worker has no {side} template {template_id!r}; it knows {', '.join(sorted(known)) or 'none'}",
        field=f"{side}.templateId",
    )
