"""Config of the sink ``cdm_postgres``: which fields of a source become which canonical ones."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from runtime_common.endpoints.cdm_postgres.model import ENTITIES, Entity
from runtime_common.endpoints.descriptor import EndpointModel, group
from runtime_common.endpoints.postgres_tables.config import Name, PostgresTablesConfig

QUARANTINE_SUFFIX = "_quarantine"
Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class FieldMapping(EndpointModel):
    """Where the values of one canonical field come from."""

    from_: Annotated[
        Text | None,
        Field(alias="from", title="Source field", description="Column of the slice", examples=["customer_name"]),
    ] = None
    value: Annotated[
        str | None,
        Field(title="Constant", description="The same value for every row, as text", examples=["crm"], max_length=1024),
    ] = None

    @model_validator(mode="after")
    def _has_one_origin(self) -> FieldMapping:
        if (self.from_ is None) == (self.value is None):
            raise ValueError("name either a source field (from) or a constant (value)")
        return self


class EntityMapping(EndpointModel):
    """How the rows of a unit become rows of one canonical table."""

    target: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,51}$"),
        Field(title="Target", description="Name by which a unit chooses this mapping", examples=["crm_customers"]),
    ]
    entity: Annotated[
        Literal["party", "contact", "product", "sales_order", "sales_order_line"],
        Field(title="Entity", description="Canonical table", examples=["party"]),
    ]
    fields: Annotated[
        dict[Text, FieldMapping],
        Field(
            title="Fields",
            description="Origin of each canonical field; fields that are not named stay NULL",
            examples=[{"source_system": {"value": "crm"}, "party_id": {"from": "id"}, "name": {"from": "full_name"}}],
        ),
    ]

    @model_validator(mode="after")
    def _fits_the_entity(self) -> EntityMapping:
        known = [field.name for field in self.model.fields]
        unknown = sorted(set(self.fields) - set(known))
        if unknown:
            raise ValueError(f"{self.entity} has no field {', '.join(unknown)}; it has {', '.join(known)}")
        missing = [name for name in known if name in self.model.required and name not in self.fields]
        if missing:
            raise ValueError(f"{self.entity} needs the field {', '.join(missing)}; map it")
        return self

    @property
    def model(self) -> Entity:
        """The entity as it is declared."""
        return ENTITIES[self.entity]


class CdmPostgresConfig(PostgresTablesConfig):
    """Where the canonical tables are, and what is mapped to them."""

    schema_: Annotated[
        Name,
        Field(
            alias="schema",
            title="Schema",
            description="Schema of the canonical tables; made when missing",
            examples=["cdm"],
            json_schema_extra=group("Object"),
        ),
    ] = "cdm"
    mappings: Annotated[
        list[EntityMapping],
        Field(
            title="Mappings",
            description="One for each target that a unit may have",
            examples=[
                [
                    {
                        "target": "crm_customers",
                        "entity": "party",
                        "fields": {
                            "source_system": {"value": "crm"},
                            "party_id": {"from": "id"},
                            "name": {"from": "full_name"},
                        },
                    }
                ]
            ],
            min_length=1,
            max_length=200,
            json_schema_extra=group("Mapping"),
        ),
    ]

    @model_validator(mode="after")
    def _names_each_target_once(self) -> CdmPostgresConfig:
        targets = [mapping.target for mapping in self.mappings]
        for target in targets:
            if targets.count(target) > 1:
                raise ValueError(f"two mappings have the target {target!r}; give each a name of its own")
        return self
