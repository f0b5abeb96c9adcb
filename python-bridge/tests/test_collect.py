"""Collections: files of entities and links, complete scopes, and what a failure half-way leaves."""

from __future__ import annotations

import uuid

import pyarrow as pa
import pytest

from ingestion_runtime.operations import CollectionProgress, collect, collect_metadata
from runtime_common.cancellation import Cancellation
from runtime_common.contracts import CollectMetadataInput, CompleteScope
from runtime_common.exceptions import ConfigurationError, RunCancelledError, SourceError
from runtime_common.protocols import MetadataTable
from runtime_common.run_metadata import RunMetadataFolder
from tests.support.scripted_endpoint import ScriptedEndpoint, scripted_ref

NAMES = pa.table({"namespace": ["n", "n"], "name": ["a", "b"]})
SCOPE = CompleteScope(namespace="n", name_prefix="")


def entities(kind, table=NAMES):
    return MetadataTable(contents="entities", kind=kind, table=table)


def collected(root, endpoint, *, cancellation=None, progress=None, request_id=None, scope=()):
    request = CollectMetadataInput(request_id=request_id or uuid.uuid4(), source=scripted_ref(), scope=list(scope))
    return collect_metadata(
        request, factory=endpoint.factory(), metadata=RunMetadataFolder(root),
        cancellation=cancellation or Cancellation(), progress=progress or CollectionProgress(),
    )  # fmt: skip


def test_what_a_source_has_is_in_files_by_kind(tmp_path):
    links = MetadataTable(contents="links", kind="HAS_FIELD", table=pa.table({"from": ["a"], "to": ["b"]}))
    pieces = [entities("Dataset"), entities("Table"), links, entities("Dataset", NAMES.slice(0, 0))]
    progress = CollectionProgress()
    result = collected(
        tmp_path, ScriptedEndpoint(pieces=lambda _: pieces, scopes=[SCOPE]), progress=progress, scope=["x", "y"]
    )
    assert [(file.contents, file.kind, file.rows) for file in result.files] == [
        ("entities", "Dataset", 2),
        ("entities", "Table", 2),
        ("links", "HAS_FIELD", 1),
    ]
    # Two kinds with the same rows are two files.
    assert len({file.path for file in result.files}) == 3
    for file in result.files:
        assert pa.ipc.open_stream((tmp_path / file.path).read_bytes()).read_all().num_rows == file.rows
    assert (result.complete_scopes, result.counts) == ([SCOPE], {"tables": 2})
    assert progress == CollectionProgress(files=3, rows=5)


def test_a_repetition_leaves_the_same_files(tmp_path):
    request_id = uuid.uuid4()
    endpoint = ScriptedEndpoint(pieces=lambda _: [entities("Dataset")])
    first = collected(tmp_path, endpoint, request_id=request_id)
    assert collected(tmp_path, endpoint, request_id=request_id) == first
    assert len(list((tmp_path / str(request_id)).iterdir())) == 1


def test_a_failure_half_way_returns_nothing(tmp_path):
    def breaks(_):
        yield entities("Dataset")
        raise SourceError("gone in the middle")

    with pytest.raises(SourceError):
        collected(tmp_path, ScriptedEndpoint(pieces=breaks, scopes=[SCOPE]))


def test_a_cancellation_is_noticed_between_pieces(tmp_path):
    def cancels(cancellation):
        yield entities("Dataset")
        cancellation.cancel()
        yield entities("Table")

    request_id = uuid.uuid4()
    with pytest.raises(RunCancelledError):
        collected(tmp_path, ScriptedEndpoint(pieces=cancels), request_id=request_id)
    assert len(list((tmp_path / str(request_id)).iterdir())) == 1


def test_too_many_files_are_refused_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(collect, "MAX_FILES", 2)
    pieces = [entities("Dataset", pa.table({"name": [str(number)]})) for number in range(3)]
    with pytest.raises(ConfigurationError, match="collect it in parts") as caught:
        collected(tmp_path, ScriptedEndpoint(pieces=lambda _: pieces))
    assert (caught.value.code, caught.value.field) == ("COLLECTION_TOO_LARGE", "scope")


def test_a_source_that_does_not_offer_it_says_so(tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        collected(tmp_path, ScriptedEndpoint(capabilities=("metadata.preview",)))
    assert caught.value.code == "CAPABILITY_MISSING"
