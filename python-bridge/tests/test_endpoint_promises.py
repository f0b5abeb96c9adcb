"""What every endpoint of this package promises in its descriptor, held against what it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.contracts import EndpointRef
from runtime_common.endpoints import EndpointFactory
from runtime_common.endpoints.factory import BUILT_IN
from runtime_common.protocols import Collectable, Previewable, Testable
from runtime_common.spark import SparkEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime_common.endpoints.plugin import EndpointPlugin

PLUGINS = {plugin.descriptor.id: plugin for plugin in BUILT_IN}
_SECRET_NAME = re.compile(r"(password|secret|token|credential|apiKey|privateKey)$", re.IGNORECASE)
each_endpoint = pytest.mark.parametrize("plugin", PLUGINS.values(), ids=PLUGINS)


def schemas(plugin: EndpointPlugin) -> Iterator[tuple[str, dict[str, Any]]]:
    template = plugin.descriptor.template()
    yield "config", template.config_schema
    if template.object_schema is not None:
        yield "object", template.object_schema


def example(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the example of the whole, which a model with alternatives has, or else those of all its fields."""
    if "examples" in schema:
        return dict(schema["examples"][0])
    return {name: one["examples"][0] for name, one in schema["properties"].items()}


def fields_of(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for model in (schema, *schema.get("$defs", {}).values()):
        yield from model.get("properties", {}).items()


def built(plugin: EndpointPlugin) -> object:
    factory = EndpointFactory(secret_key=None, spark=SparkEngine(jars=None), plugins=[plugin])
    template = plugin.descriptor.template()
    ref = EndpointRef(endpoint_id="e", template_id=template.id, config=example(template.config_schema))
    return factory.endpoint(ref, template.role)


@each_endpoint
def test_people_find_words_for_everything_in_a_form(plugin):
    descriptor = plugin.descriptor
    assert all([descriptor.title, descriptor.description, descriptor.vendor, descriptor.version])
    for kind, schema in schemas(plugin):
        for name, one in schema["properties"].items():
            lacks = {"title", "description", "examples", "x-group"} - set(one)
            assert not lacks, f"{kind} field {name} of {descriptor.id} lacks {sorted(lacks)}"
        for name, one in fields_of(schema):
            assert one.get("title"), f"{kind} field {name} of {descriptor.id} has no title"
            # A constant tells alternatives apart; there is nothing to enter.
            assert one.get("description") or "const" in one, f"{kind} field {name} of {descriptor.id}: no description"
        assert schema["additionalProperties"] is False


@each_endpoint
def test_a_config_and_an_object_can_be_made_of_their_examples(plugin):
    descriptor = plugin.descriptor
    models = {"config": descriptor.config_model, "object": descriptor.object_model}
    for kind, schema in schemas(plugin):
        model = models[kind]
        assert model is not None
        model.model_validate(example(schema))


@each_endpoint
def test_what_looks_like_a_secret_is_one(plugin):
    for kind, schema in schemas(plugin):
        for name, one in fields_of(schema):
            if _SECRET_NAME.search(name):
                assert kind == "config", f"{name} of {plugin.descriptor.id}: an object is stored and shown as it is"
                assert "'writeOnly': True" in str(one), f"{name} of {plugin.descriptor.id} is no SecretStr"


@each_endpoint
def test_the_steps_of_the_connection_test_are_those_of_the_descriptor(plugin):
    endpoint = built(plugin)
    assert isinstance(endpoint, Testable)
    checks = endpoint.checks(Cancellation())
    names = [check.name for check in checks]
    assert names == [step.name for step in plugin.descriptor.checks]
    assert names, "an endpoint of this package has a connection test"
    for index, check in enumerate(checks):
        assert set(check.needs) <= set(names[:index]), f"{check.name} needs a step that does not come before it"


@each_endpoint
def test_capabilities_are_what_the_endpoint_has(plugin):
    endpoint = built(plugin)
    capabilities = plugin.descriptor.capabilities
    assert isinstance(endpoint, Previewable) == ("metadata.preview" in capabilities)
    assert isinstance(endpoint, Collectable) == ("metadata.collect" in capabilities)
    assert {"ingest.full", "ingest.incremental"} & set(capabilities)


@each_endpoint
def test_a_sink_says_what_it_guarantees_and_a_source_what_it_reads(plugin):
    descriptor = plugin.descriptor
    if descriptor.role == "sink":
        assert descriptor.delivery_guarantee
        assert descriptor.write_modes
        assert descriptor.object_model is None
    else:
        assert descriptor.object_model is not None
        assert (descriptor.delivery_guarantee, descriptor.write_modes) == (None, ())
