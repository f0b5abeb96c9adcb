"""Descriptors of endpoints, as TypeScript reads them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from runtime_common.contracts.model import ContractModel, Id
from runtime_common.contracts.run import NonEmpty, WriteMode

EndpointRole = Literal["source", "staging", "sink"]
Capability = Literal["metadata.collect", "metadata.preview", "ingest.full", "ingest.incremental"]


class CheckStep(ContractModel):
    """One step of an endpoint's connection test."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]*$")]
    title: NonEmpty


class EndpointTemplate(ContractModel):
    """One kind of endpoint."""

    id: Id
    title: NonEmpty
    vendor: Id
    description: str
    role: EndpointRole
    version: NonEmpty
    capabilities: list[Capability]
    checks: list[CheckStep]
    write_modes: list[WriteMode]
    delivery_guarantee: str | None
    config_schema: dict[str, Any]
    object_schema: dict[str, Any] | None


class TemplateList(ContractModel):
    """Result of ``listMetadataEndpointTemplates``."""

    descriptor_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    templates: list[EndpointTemplate]
