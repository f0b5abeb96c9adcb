"""What a preview shows, and what it never does."""

from __future__ import annotations

import json
import os
import stat
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

import pyarrow as pa
import pytest

from ingestion_runtime.operations import preview, preview_metadata, preview_of
from runtime_common.cancellation import Cancellation
from runtime_common.contracts import Preview, PreviewMetadataInput
from runtime_common.exceptions import ConfigurationError, RunCancelledError
from runtime_common.run_metadata import RunMetadataFolder
from tests.support.scripted_endpoint import ScriptedEndpoint, scripted_ref

CANARY = "c4n4ry'%s of the preview"


def request(**changes):
    given = {"request_id": uuid.uuid4(), "source": scripted_ref(), "object": {}} | changes
    return PreviewMetadataInput(**given)


def shown(table, *, truncated=False, types=None, **changes):
    endpoint = ScriptedEndpoint(rows=table, truncated=truncated, types=types or {})
    return preview_of(request(**changes), factory=endpoint.factory(), cancellation=Cancellation())


def column(values, kind=None, **changes):
    return [row[0] for row in shown(pa.table({"v": pa.array(values, kind)}), **changes).rows]


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        ([2**63 - 1, None], pa.int64(), ["9223372036854775807", None]),
        ([Decimal("12345678901234567890.10")], pa.decimal128(38, 2), ["12345678901234567890.10"]),
        ([0.1, float("nan")], pa.float64(), ["0.1", "nan"]),
        ([True, None], pa.bool_(), ["true", None]),
        (["", "é"], pa.string(), ["", "é"]),
        ([b"\x00\xff"], pa.binary(), ["\\x00ff"]),
        ([date(2013, 1, 2)], pa.date32(), ["2013-01-02"]),
        ([datetime(2013, 1, 2, 3, 4, 5, 678901, UTC)], pa.timestamp("us", "UTC"), ["2013-01-02 03:04:05.678901Z"]),
        ([timedelta(seconds=1)], pa.duration("us"), ["0:00:01"]),
        ([[1, None]], pa.list_(pa.int64()), ["[1, null]"]),
        ([{"a": Decimal("1.10"), "b": b"\x01", "c": date(2013, 1, 2)}], None,
         ['{"a": "1.10", "b": "\\\\x01", "c": "2013-01-02"}']),
        (["x", "x"], pa.dictionary(pa.int32(), pa.string()), ["x", "x"]),
    ],
)  # fmt: skip
def test_values_are_exact_text(values, kind, texts):
    assert column(values, kind) == texts


def test_columns_have_the_types_of_the_source_where_it_names_them():
    preview_ = shown(pa.table({"a": [1], "b": ["x"]}), types={"a": "numeric(3,0)"})
    assert [(one.name, one.type, one.masked) for one in preview_.columns] == [
        ("a", "numeric(3,0)", False),
        ("b", "string", False),
    ]
    assert (preview_.dataset.name, preview_.truncated) == ("rows", False)


def test_masked_columns_show_nothing_not_even_nulls():
    table = pa.table({"Email": ["a@b", None], "name": ["x", "y"], "address": [{"street": "s"}, None]})
    preview_ = shown(table, masked_columns=["email", "address.street"])
    assert preview_.rows == [["***", "x", "***"], ["***", "y", "***"]]
    assert [one.masked for one in preview_.columns] == [True, False, True]


def test_secrets_are_masked_before_a_cell_is_cut(tmp_path):
    # Cut in the middle of the secret, what is left would not be found any more.
    text = "x" * (preview.MAX_CELL_CHARACTERS - 4) + CANARY
    table = pa.table({"t": [text, CANARY], "b": [CANARY.encode(), b"-"], "n": [[CANARY], None]})
    result = preview_metadata(
        request(source=scripted_ref(password=CANARY)), factory=ScriptedEndpoint(rows=table).factory(),
        metadata=RunMetadataFolder(tmp_path), cancellation=Cancellation(),
    )  # fmt: skip
    content = (tmp_path / result.path).read_bytes()
    assert CANARY[:4].encode() not in content
    assert CANARY.encode().hex().encode() not in content
    rows = json.loads(content)["rows"]
    assert rows[1] == ["[secret]", "\\x2d", None]
    assert (rows[0][1], rows[0][2]) == ("[secret]", '["[secret]"]')


def test_the_file_is_what_the_result_says_and_nobody_else_may_read_it(tmp_path):
    asked = request()
    endpoint = ScriptedEndpoint(rows=pa.table({"id": [1]}))
    for _ in range(2):
        result = preview_metadata(
            asked, factory=endpoint.factory(), metadata=RunMetadataFolder(tmp_path), cancellation=Cancellation()
        )
    path = tmp_path / str(asked.request_id) / "preview.json"
    assert tmp_path / result.path == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [one.name for one in path.parent.iterdir()] == ["preview.json"]
    content = path.read_bytes()
    assert sha256(content).hexdigest() == result.sha256
    assert Preview.model_validate_json(content).rows == [["1"]]


def test_more_than_was_asked_for_is_cut_and_told(monkeypatch):
    three = pa.table({"id": [1, 2, 3]})
    assert (len(shown(three, limit=2).rows), shown(three, limit=2).truncated) == (2, True)
    assert shown(three, limit=3).truncated is False
    assert shown(three, limit=3, truncated=True).truncated is True
    long = shown(pa.table({"v": ["é" * (preview.MAX_CELL_CHARACTERS + 1)]}))
    assert (len(str(long.rows[0][0])), long.truncated) == (preview.MAX_CELL_CHARACTERS, True)
    monkeypatch.setattr(preview, "MAX_PREVIEW_BYTES", 5)
    wide = shown(pa.table({"v": ["éé", "é", None]}))
    assert (wide.rows, wide.truncated) == ([["éé"]], True)


def test_a_preview_without_rows_has_columns():
    empty = shown(pa.table({"v": pa.array([], pa.int64())}))
    assert ([one.name for one in empty.columns], empty.rows, empty.truncated) == (["v"], [], False)


def test_a_source_that_does_not_offer_it_says_so():
    endpoint = ScriptedEndpoint(capabilities=("ingest.full",))
    with pytest.raises(ConfigurationError) as caught:
        preview_of(request(), factory=endpoint.factory(), cancellation=Cancellation())
    assert (caught.value.code, caught.value.field) == ("CAPABILITY_MISSING", "source.templateId")


def test_a_cancelled_preview_leaves_no_file(tmp_path):
    cancellation = Cancellation()
    endpoint = ScriptedEndpoint(asked=cancellation.cancel)
    with pytest.raises(RunCancelledError):
        preview_metadata(
            request(), factory=endpoint.factory(), metadata=RunMetadataFolder(tmp_path), cancellation=cancellation
        )
    assert list(tmp_path.iterdir()) == []


def test_a_preview_that_nobody_took_is_swept_before_metadata_is(tmp_path):
    folder, now = RunMetadataFolder(tmp_path), datetime.now(UTC)
    previewed, collected = uuid.uuid4(), uuid.uuid4()
    folder.write_preview(previewed, b"{}")
    folder.write(collected, contents="entities", kind="Dataset", table=pa.table({"name": ["a"]}))
    assert folder.ttl_cleanup(now) == []
    two_hours_ago = (now - timedelta(hours=2)).timestamp()
    for name in (previewed, collected):
        os.utime(tmp_path / str(name), (two_hours_ago, two_hours_ago))
    assert folder.ttl_cleanup(now) == [str(previewed)]
