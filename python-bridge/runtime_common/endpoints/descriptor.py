"""What an endpoint says about itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic.alias_generators import to_camel

from runtime_common.contracts import Capability, CheckStep, EndpointRole, EndpointTemplate, TemplateList, WriteMode

if TYPE_CHECKING:
    from collections.abc import Iterable


class EndpointModel(BaseModel):
    """Base of config and object models: unknown fields are refused, names are camelCase outside.

    Validation errors never show a value, which may be a secret.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )


def group(name: str) -> dict[str, JsonValue]:
    """Return the schema extension that puts a config field into a named group of a form."""
    return {"x-group": name}


@dataclass(frozen=True, kw_only=True)
class EndpointDescriptor:
    """A template before it is printed; ``object_model`` is None for sinks, ``delivery_guarantee`` for sources.

    A config field may carry ``examples`` and, by :func:`group`, the group of a form that it is shown in.
    """

    id: str
    title: str
    vendor: str
    description: str
    role: EndpointRole
    version: str
    capabilities: tuple[Capability, ...]
    checks: tuple[CheckStep, ...] = ()
    write_modes: tuple[WriteMode, ...] = ()
    delivery_guarantee: str | None = None
    config_model: type[EndpointModel]
    object_model: type[EndpointModel] | None = None

    def template(self) -> EndpointTemplate:
        """Return the form that TypeScript reads; secret config fields carry ``writeOnly: true``."""
        dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        object_schema = self.object_model.model_json_schema(by_alias=True) if self.object_model else None
        return EndpointTemplate(
            id=self.id,
            title=self.title,
            vendor=self.vendor,
            description=self.description,
            role=self.role,
            version=self.version,
            capabilities=list(self.capabilities),
            checks=list(self.checks),
            write_modes=list(self.write_modes),
            delivery_guarantee=self.delivery_guarantee,
            config_schema=dialect | self.config_model.model_json_schema(by_alias=True),
            object_schema=None if object_schema is None else dialect | object_schema,
        )


def template_list(descriptors: Iterable[EndpointDescriptor]) -> TemplateList:
    """Return all templates and the hash by which the server notices a change."""
    templates = [descriptor.template() for descriptor in sorted(descriptors, key=lambda one: one.id)]
    text = json.dumps([template.to_wire() for template in templates], sort_keys=True, separators=(",", ":"))
    return TemplateList(descriptor_hash=sha256(text.encode()).hexdigest(), templates=templates)
