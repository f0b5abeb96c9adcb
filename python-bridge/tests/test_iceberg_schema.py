"""Which columns an Iceberg commit adds, widens, leaves out or refuses; without Spark's JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pyspark.sql.types import (
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from runtime_common.endpoints.iceberg_schema import plan_schema
from runtime_common.exceptions import SinkSchemaError

if TYPE_CHECKING:
    from runtime_common.contracts import SchemaChangePolicy


def columns(**types):
    return StructType([StructField(name, type_) for name, type_ in types.items()])


POLICIES: tuple[SchemaChangePolicy, ...] = ("freeze", "evolve", "discard")
TABLE = columns(id=LongType(), v=StringType())


def test_equal_columns_need_nothing_whatever_their_order():
    plan = plan_schema(TABLE, columns(v=StringType(), id=LongType()), policy="freeze", key=["id"])
    assert (plan.statements("t"), list(plan.written), list(plan.kept)) == ([], ["v", "id"], [])


@pytest.mark.parametrize(
    ("unit", "told"),
    [
        (columns(id=LongType(), w=StringType()), r"missing in the table: w; unknown to the unit: v"),
        (columns(id=StringType(), v=StringType()), r"of another type: id"),
    ],
)
def test_freeze_wants_the_same_columns(unit, told):
    with pytest.raises(SinkSchemaError, match=told):
        plan_schema(TABLE, unit, policy="freeze", key=[])


def test_evolve_adds_what_is_new_and_keeps_what_the_unit_no_longer_has():
    plan = plan_schema(TABLE, columns(id=LongType(), **{"a `b": DecimalType(5, 2)}), policy="evolve", key=["id"])
    assert plan.statements("t") == ["ALTER TABLE t ADD COLUMNS (`a ``b` decimal(5,2))"]
    assert (list(plan.written), list(plan.kept)) == (["id", "a `b"], ["v"])


def test_discard_leaves_out_what_is_new_but_no_key():
    unit = columns(id=LongType(), v=StringType(), w=StringType())
    plan = plan_schema(TABLE, unit, policy="discard", key=["id"])
    assert (plan.statements("t"), list(plan.written)) == ([], ["id", "v"])
    with pytest.raises(SinkSchemaError, match="missing in the table: w"):
        plan_schema(TABLE, unit, policy="discard", key=["id", "w"])


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [(IntegerType(), LongType()), (FloatType(), DoubleType()), (DecimalType(5, 2), DecimalType(9, 2))],
)
def test_a_type_is_widened_by_evolve_alone_and_narrower_values_always_fit(narrow, wide):
    plan = plan_schema(columns(v=narrow), columns(v=wide), policy="evolve", key=[])
    assert plan.statements("t") == [f"ALTER TABLE t ALTER COLUMN `v` TYPE {wide.simpleString()}"]
    assert plan.written == {"v": wide}
    for policy in POLICIES:
        kept = plan_schema(columns(v=wide), columns(v=narrow), policy=policy, key=[])
        assert (kept.statements("t"), kept.written) == ([], {"v": wide})
    for policy in (POLICIES[0], POLICIES[2]):
        with pytest.raises(SinkSchemaError, match="of another type: v"):
            plan_schema(columns(v=narrow), columns(v=wide), policy=policy, key=[])


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (DecimalType(9, 2), DecimalType(9, 3)),
        (IntegerType(), DoubleType()),
        (LongType(), StringType()),
        (StringType(), LongType()),
    ],
)
def test_a_change_that_iceberg_does_not_know_is_refused_under_every_policy(before, now):
    for policy in POLICIES:
        with pytest.raises(SinkSchemaError, match="of another type: v"):
            plan_schema(columns(v=before), columns(v=now), policy=policy, key=[])
