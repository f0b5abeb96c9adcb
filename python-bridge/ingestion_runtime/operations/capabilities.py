"""What an operation asks of an endpoint before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_common.exceptions import ConfigurationError

if TYPE_CHECKING:
    from runtime_common.contracts import Capability, EndpointRef
    from runtime_common.endpoints import EndpointFactory


def check_capability(ref: EndpointRef, capability: Capability, *, factory: EndpointFactory) -> None:
    """Refuse a source that does not say that it can do this.

    Raises:
        UnknownTemplateError: No source of that template.
        ConfigurationError: Its descriptor lacks the capability.
    """
    descriptor = factory.descriptor(ref, "source")
    if capability not in descriptor.capabilities:
        raise lacks(ref, capability)


def lacks(ref: EndpointRef, capability: Capability) -> ConfigurationError:
    """Return the failure of a source without a capability."""
    return ConfigurationError(
        f"{ref.template_id!r} does not offer {capability}; metadataEndpointTemplates lists which templates do",
        code="CAPABILITY_MISSING",
        field="source.templateId",
    )
