"""The shared base of all contract models."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from runtime_common.exceptions import ConfigurationError

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
Model = TypeVar("Model", bound=BaseModel)


class ContractModel(BaseModel):
    """Strict and immutable; camelCase on the wire, snake_case in Python."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON form that TypeScript reads."""
        return self.model_dump(mode="json", by_alias=True)


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Return the dotted path and the rule of the first fault; never the value, which may be a secret."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return ".".join(str(part) for part in fault["loc"]), fault["msg"]


def parse(model: type[Model], payload: object, *, prefix: str = "") -> Model:
    """Validate ``payload``, naming the first faulty field under ``prefix``.

    Raises:
        ConfigurationError: The payload breaks the model.
    """
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        path, rule = first_fault(error)
    field = ".".join(part for part in (prefix, path) if part)
    raise ConfigurationError(f"{field or 'the value'}: {rule}", field=field or None)
