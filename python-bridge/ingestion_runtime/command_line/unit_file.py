"""The unit file: one unit with its endpoints, in JSON."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from pydantic import Field

from runtime_common.contracts import ContractModel, EndpointRef, IngestionPolicy, UnitSpec
from runtime_common.contracts.model import Id, parse
from runtime_common.exceptions import ConfigurationError
from runtime_common.staging import PROVIDER_ID

if TYPE_CHECKING:
    from pathlib import Path


class UnitFile(ContractModel):
    """What the file says."""

    endpoint_id: Id
    unit_id: Id
    sink_id: Id | None = None
    source: EndpointRef
    sink: EndpointRef
    unit: UnitSpec
    policy: IngestionPolicy = Field(default_factory=IngestionPolicy)
    staging_provider_id: Id = PROVIDER_ID

    @property
    def unit_key(self) -> str:
        """Name of unit and sink, to tell checkpoints of different ones apart."""
        return "/".join([self.endpoint_id, self.unit_id, self.sink_id or ""])


def read_unit_file(path: Path) -> UnitFile:
    """Read the file and put environment variables in place.

    Raises:
        ConfigurationError: It can't be read, is no unit file, or names a variable that is not set.
    """
    try:
        payload = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}") from None
    return parse(UnitFile, _with_environment(payload), prefix="unit file")


def _with_environment(value: object) -> object:
    if isinstance(value, dict):
        if set(value) == {"$env"} and isinstance(value["$env"], str):
            try:
                return os.environ[value["$env"]]
            except KeyError:
                raise ConfigurationError(
                    f"the unit file asks for the variable {value['$env']}, which is not set"
                ) from None
        return {name: _with_environment(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_environment(inner) for inner in value]
    return value
