"""An endpoint as the worker takes it in: from this package, or from another one by an entry point.

A third party's package names its plugins in its metadata, and the worker finds them once it is installed:

    [project.entry-points."nucleus.endpoints"]
    my_source = "my_package.my_source:ENDPOINT"
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from runtime_common.exceptions import ConfigurationError
from runtime_common.http import AddressRules
from runtime_common.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.metadata import EntryPoint

    from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel
    from runtime_common.protocols import SinkEndpoint, SourceEndpoint
    from runtime_common.spark import SparkEngine

ENTRY_POINT_GROUP = "nucleus.endpoints"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class EndpointServices:
    """What the worker lends to its endpoints.

    Attributes:
        spark: The worker's one Spark session, started by the first who asks.
        http_addresses: Which addresses HTTP endpoints may reach; public ones alone, unless the operator lists others.
    """

    spark: SparkEngine
    http_addresses: AddressRules = field(default_factory=AddressRules)


@dataclass(frozen=True, kw_only=True)
class SourcePlugin:
    """A source: its descriptor, and what builds it from a config that the descriptor's model has validated."""

    descriptor: EndpointDescriptor
    build: Callable[[EndpointModel, EndpointServices], SourceEndpoint]


@dataclass(frozen=True, kw_only=True)
class SinkPlugin:
    """A sink, likewise."""

    descriptor: EndpointDescriptor
    build: Callable[[EndpointModel, EndpointServices], SinkEndpoint]


EndpointPlugin = SourcePlugin | SinkPlugin


def installed_plugins() -> list[EndpointPlugin]:
    """Return the plugins of installed packages. One that can't be loaded is logged and left out: the others work."""
    return [plugin for one in sorted(entry_points(group=ENTRY_POINT_GROUP)) if (plugin := _load(one)) is not None]


def by_id(plugins: Iterable[EndpointPlugin]) -> dict[str, EndpointPlugin]:
    """Return the plugins by template id.

    Raises:
        ConfigurationError: Two have the same id.
    """
    found: dict[str, EndpointPlugin] = {}
    for plugin in plugins:
        template_id = plugin.descriptor.id
        if template_id in found:
            raise ConfigurationError(
                f"two endpoints are called {template_id!r}; uninstall one of the packages that bring them",
                code="DUPLICATE_TEMPLATE",
            )
        found[template_id] = plugin
    return found


def _load(entry_point: EntryPoint) -> EndpointPlugin | None:
    try:
        plugin = entry_point.load()
    except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises must not stop the worker
        reason = f"{type(error).__name__}: {redact(str(error))}"
    else:
        if isinstance(plugin, SourcePlugin | SinkPlugin):
            return plugin
        reason = f"{entry_point.value} is a {type(plugin).__name__}, neither SourcePlugin nor SinkPlugin"
    _log.error("an endpoint plugin can't be used", extra={"data": {"plugin": entry_point.name, "reason": reason}})
    return None
