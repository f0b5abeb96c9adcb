"""A source that answers operations the way a test writes it, as a plugin of a factory of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, get_args

import pyarrow as pa
from pydantic import Field, SecretStr

from runtime_common.contracts import Capability, CheckStep, DatasetField, DatasetRef, EndpointRef
from runtime_common.endpoints import EndpointFactory
from runtime_common.endpoints.descriptor import EndpointDescriptor, EndpointModel, group
from runtime_common.endpoints.plugin import EndpointServices, SourcePlugin
from runtime_common.exceptions import SourceError
from runtime_common.protocols import Check, Collected, Sample
from runtime_common.redaction import register_secret
from runtime_common.spark import SparkEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import CompleteScope
    from runtime_common.protocols import MetadataTable, ReadRequest
    from tests.support.scripted_source import ScriptedRead

TEMPLATE = "scripted"


class ScriptedConfig(EndpointModel):
    """A password, for the tests that look for it."""

    password: Annotated[
        SecretStr | None,
        Field(title="Password", description="Of nobody", examples=["none"], json_schema_extra=group("Security")),
    ] = None


@dataclass(kw_only=True)
class ScriptedEndpoint:
    """A source with a connection test, a preview and metadata; it has no rows to read.

    Attributes:
        steps: Steps by name: what each says or does, and which ones it needs.
        offered: Steps that it really has; None for those of the descriptor.
        rows: What a preview shows.
        pieces: What a collection yields.
        asked: Waits in here, if a test gives one, before a preview answers.
    """

    steps: Mapping[str, tuple[Callable[[], str], tuple[str, ...]]] = field(default_factory=dict)
    offered: Sequence[str] | None = None
    rows: pa.Table = field(default_factory=lambda: pa.table({"id": [1, 2, 3]}))
    truncated: bool = False
    types: Mapping[str, str] = field(default_factory=dict)
    pieces: Callable[[Cancellation], Iterable[MetadataTable]] = lambda _: ()
    scopes: Sequence[CompleteScope] = ()
    capabilities: tuple[Capability, ...] = get_args(Capability)
    asked: Callable[[], None] = lambda: None

    def factory(self) -> EndpointFactory:
        """Return a factory that knows this endpoint alone."""
        descriptor = EndpointDescriptor(
            id=TEMPLATE,
            title="Scripted",
            vendor="tests",
            description="Answers as a test wants it.",
            role="source",
            version="1",
            capabilities=self.capabilities,
            checks=tuple(CheckStep(name=name, title=f"Step {name}") for name in self.steps),
            config_model=ScriptedConfig,
        )

        def build(config: EndpointModel, services: EndpointServices) -> ScriptedEndpoint:
            assert isinstance(config, ScriptedConfig)
            if config.password is not None:
                register_secret(config.password.get_secret_value())
            return self

        return EndpointFactory(
            secret_key=None, spark=SparkEngine(jars=None), plugins=[SourcePlugin(descriptor=descriptor, build=build)]
        )

    def open(self, request: ReadRequest, cancellation: Cancellation) -> ScriptedRead:
        raise SourceError("it has no rows")

    def checks(self, cancellation: Cancellation) -> Sequence[Check]:
        names = list(self.steps) if self.offered is None else self.offered
        return [Check(name=name, run=self.steps[name][0], needs=self.steps[name][1]) for name in names]

    def preview(self, selected: Mapping[str, Any], *, limit: int, cancellation: Cancellation) -> Sample:
        self.asked()
        fields = [DatasetField(name=name, type=kind) for name, kind in self.types.items()]
        dataset = DatasetRef(namespace="scripted", name="rows", version=None, fields=fields)
        return Sample(dataset=dataset, table=self.rows, truncated=self.truncated)

    def collect(self, scope: Sequence[str], cancellation: Cancellation) -> Collected:
        return Collected(
            tables=iter(self.pieces(cancellation)), complete_scopes=list(self.scopes), counts={"tables": len(scope)}
        )


def scripted_ref(**config: Any) -> EndpointRef:
    return EndpointRef(endpoint_id="scripted-1", template_id=TEMPLATE, config=config)
