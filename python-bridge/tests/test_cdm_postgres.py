"""Rows of different systems in canonical tables: what is mapped, what is refused, and by which name."""

from __future__ import annotations

import json
import re
import secrets
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from runtime_common.contracts.model import parse
from runtime_common.endpoints.cdm_postgres.config import CdmPostgresConfig
from runtime_common.endpoints.cdm_postgres.model import ENTITIES
from runtime_common.endpoints.cdm_postgres.sink import CdmPostgresSink
from runtime_common.exceptions import ConfigurationError, RowsRejectedError, SinkSchemaError
from runtime_common.staging import LocalDirectoryStaging
from tests.support.postgres_tables import UNIT, commit, rows_of
from tests.support.slices import rows
from tests.support.units import Unit

PARTY = {"source_system": {"value": "crm"}, "party_id": {"from": "id"}, "name": {"from": "label"}}
LINE = {
    "source_system": {"value": "shop"},
    "order_id": {"from": "order"},
    "line_id": {"from": "line"},
    "product_id": {"from": "sku"},
    "quantity": {"from": "count"},
}


@pytest.fixture
def staging(tmp_path):
    provider = LocalDirectoryStaging(tmp_path / "staging")
    yield provider
    provider.close()


@pytest.fixture
def schema():
    return f"s_{secrets.token_hex(4)}"


@pytest.fixture
def sink_for(database, schema):
    def build(entity, fields, target="events"):
        mappings = [{"target": target, "entity": entity, "fields": fields}]
        config = database.config(schema=schema, controlSchema=f"{schema}_control", mappings=mappings)
        return CdmPostgresSink(parse(CdmPostgresConfig, config, prefix="sink.config"))

    return build


def test_rows_of_two_systems_share_a_canonical_table(sink_for, staging, database, schema):
    crm = sink_for("party", PARTY)
    erp = sink_for("party", PARTY | {"source_system": {"value": "erp"}, "country": {"from": "land"}}, "debtors")
    first = commit(crm, staging, "a:0", rows(id=[1, 2], label=["Ada", "Bob"]), None)
    commit(erp, staging, "b:0", rows(id=["2"], label=["B. Ltd"], land=["NL"]), None, target="debtors", unit_key="erp")
    second = commit(crm, staging, "c:0", rows(id=[2, 3], label=["Bob", "Eve"]), first)
    assert second.rows_written == 1
    assert rows_of(database, schema, "party", "party_id, source_system, name, country") == [
        ("1", "crm", "Ada", None),
        ("2", "crm", "Bob", None),
        ("2", "erp", "B. Ltd", "NL"),
        ("3", "crm", "Eve", None),
    ]
    assert [field.name for field in first.output.fields] == [field.name for field in ENTITIES["party"].fields]
    assert crm.last_commit(UNIT, "events") == second


def test_a_field_that_is_not_mapped_keeps_what_another_unit_has_written(sink_for, staging, database, schema):
    names = sink_for("party", PARTY)
    countries = sink_for("party", PARTY | {"country": {"from": "land"}}, "countries")
    commit(countries, staging, "a:0", rows(id=[1], label=["A"], land=["NL"]), None, target="countries", unit_key="c")
    commit(names, staging, "b:0", rows(id=[1], label=["Ada"]), None)
    assert rows_of(database, schema, "party", "name, country") == [("Ada", "NL")]


def test_values_are_converted_exactly(sink_for, staging, database, schema):
    fields = {
        "source_system": {"value": "shop"},
        "order_id": {"from": "id"},
        "party_id": {"from": "customer"},
        "ordered_at": {"from": "at"},
        "due_on": {"from": "due"},
        "total_amount": {"from": "total"},
        "currency": {"value": "EUR"},
    }
    batch = rows(
        id=[7, 8],
        customer=[Decimal("12.50"), Decimal("13.00")],
        at=["2013-01-01T05:00:00.000001+01:00", "2013-01-01 04:00:00Z"],
        due=["2013-02-01", None],
        total=["12345678901234567890.123456789", "-1"],
    )
    commit(sink_for("sales_order", fields), staging, "a:0", batch, None)
    found = rows_of(database, schema, "sales_order", "order_id, party_id, ordered_at, due_on, total_amount, currency")
    assert found == [
        (
            "7",
            "12.50",
            datetime(2013, 1, 1, 4, 0, 0, 1, tzinfo=UTC),
            date(2013, 2, 1),
            Decimal("12345678901234567890.123456789"),
            "EUR",
        ),
        ("8", "13.00", datetime(2013, 1, 1, 4, tzinfo=UTC), None, Decimal(-1), "EUR"),
    ]


@pytest.mark.parametrize(
    ("values", "faults"),
    [
        (
            ["1", "x", "1.0000000001", None],
            {1: "VALUE_NOT_CONVERTIBLE", 2: "VALUE_NOT_CONVERTIBLE", 3: "VALUE_MISSING"},
        ),
        ([2**62, None], {1: "VALUE_MISSING"}),
    ],
)
def test_rows_that_cant_be_mapped_are_refused_by_source_field(sink_for, staging, values, faults):
    sink = sink_for("sales_order_line", LINE)
    count = len(values)
    batch = rows(order=["o"] * count, line=list(range(count)), sku=["s"] * count, count=values)
    with pytest.raises(RowsRejectedError) as caught:
        commit(sink, staging, "a:0", batch, None, primary_key=["order", "line"])
    rejected = caught.value.rejected
    assert {position: row.code for position, row in rejected.items()} == faults
    assert {row.field for row in rejected.values()} == {"count"}
    assert json.loads(next(iter(rejected.values())).row)["line"] == min(rejected)


def test_the_last_row_of_a_key_wins_by_the_sources_cursor_and_marked_rows_are_removed(
    sink_for, staging, database, schema
):
    sink = sink_for("party", PARTY)
    batch = rows(id=[1, 1, 2, 3], label=["new", "old", "b", "c"], at=[2, 1, 1, 1], gone=[False] * 4)
    first = commit(sink, staging, "a:0", batch, None, cursor_field="at", delete_field="gone")
    assert rows_of(database, schema, "party", "name") == [("b",), ("c",), ("new",)]
    tombstones = rows(id=[2, 3], label=[None, "C"], at=[5, 5], gone=[True, False])
    commit(sink, staging, "b:0", tombstones, first, cursor_field="at", delete_field="gone")
    assert rows_of(database, schema, "party", "name") == [("C",), ("new",)]


@pytest.mark.parametrize(
    ("entity", "fields", "told"),
    [
        ("party", PARTY | {"shoe_size": {"from": "x"}}, "party has no field shoe_size"),
        ("party", {"source_system": {"value": "crm"}, "name": {"from": "label"}}, "party needs the field party_id"),
        ("party", PARTY | {"country": {"from": "x", "value": "y"}}, "either a source field"),
    ],
)
def test_a_mapping_that_does_not_fit_its_entity_is_refused_with_the_config(sink_for, entity, fields, told):
    with pytest.raises(ConfigurationError, match=told) as caught:
        sink_for(entity, fields)
    assert str(caught.value.field).startswith("sink.config.mappings.0")


@pytest.mark.parametrize(
    ("batch", "code"),
    [
        (rows(id=[1], title=["A"]), "CDM_SOURCE_FIELD_MISSING"),
        (rows(id=[1], label=pa.array([b"A"])), "CDM_FIELD_REFUSED"),
    ],
)
def test_a_source_that_does_not_fit_its_mapping_is_refused_before_any_row(sink_for, staging, batch, code):
    with pytest.raises(SinkSchemaError, match="label") as caught:
        commit(sink_for("party", PARTY), staging, "a:0", batch, None)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("created_at", pa.array([datetime(2013, 1, 1)])),  # noqa: DTZ001
        ("created_at", pa.array([1])),
        ("updated_at", pa.array([date(2013, 1, 1)])),
    ],
)
def test_a_time_whose_moment_would_be_guessed_is_refused(sink_for, staging, name, values):
    sink = sink_for("party", PARTY | {name: {"from": "x"}})
    with pytest.raises(SinkSchemaError, match="without guessing"):
        commit(sink, staging, "a:0", rows(id=[1], label=["A"], x=values), None)


def test_the_units_key_must_be_what_the_entitys_key_comes_from(sink_for, staging):
    sink = sink_for("party", PARTY)
    with pytest.raises(ConfigurationError, match="comes from id") as caught:
        commit(sink, staging, "a:0", rows(id=[1], label=["A"]), None, primary_key=["label"])
    assert caught.value.field == "unit.primaryKey"
    with pytest.raises(ConfigurationError, match="no mapping for the target 'others'"):
        sink.last_commit(UNIT, "others")


def test_a_constant_that_is_no_value_of_its_field_is_refused(sink_for, staging):
    sink = sink_for("party", PARTY | {"created_at": {"value": "yesterday"}})
    with pytest.raises(ConfigurationError, match="constant of 'created_at'"):
        commit(sink, staging, "a:0", rows(id=[1], label=["A"]), None)


def test_a_unit_runs_and_its_refused_rows_are_in_the_quarantine(database, tmp_path, schema):
    database.execute("DROP TABLE IF EXISTS people; CREATE TABLE people (id int, at timestamptz, label text)")
    database.execute(
        "INSERT INTO people SELECT n, to_timestamp(n), nullif('n' || n, 'n2') FROM generate_series(1, 3) n"
    )
    unit = Unit(
        source=database.config(),
        sink_template="cdm_postgres",
        sink_config=database.config(schema=schema, mappings=[{"target": "people", "entity": "party", "fields": PARTY}]),
        staging=LocalDirectoryStaging(tmp_path / "staging"),
        table="people",
        target="people",
        metadata_root=tmp_path / "metadata",
        write_mode="merge",
        policy={"badRows": "quarantine"},
    )
    stats = unit.run().stats
    assert (stats.rows_written, stats.rows_quarantined) == (2, 1)
    assert stats.provenance.outputs[0].name.endswith(f".{schema}.party")
    assert rows_of(database, schema, "party", "party_id, name") == [("1", "n1"), ("3", "n3")]
    assert rows_of(database, schema, "people_quarantine", "code, field") == [("VALUE_MISSING", "label")]
    assert unit.run().stats.rows_written == 0
    unit.staging.close()


def test_the_document_shows_the_model():
    text = (Path(__file__).resolve().parents[2] / "docs" / "sink-cdm.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^\| `([a-z_]+)` +\| (.+?) +\|$", text, re.MULTILINE))
    for entity in ENTITIES.values():
        columns = [column.split(" ")[0] for column in shown[entity.name].split(", ")]
        assert [re.sub(r"[*!]", "", column) for column in columns] == [field.name for field in entity.fields]
        assert [column[2:-2] for column in columns if column.startswith("**")] == list(entity.key)
        required = {re.sub(r"[*!]", "", column) for column in columns if column.endswith(("!", "**"))}
        assert required == entity.required
