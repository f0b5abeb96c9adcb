"""The cursor column in SQL: its order, its values as text and as literals, and the bounds of a read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from runtime_common.cursor import TIME_FAMILIES, check_canonical, empty_text, is_canonical, out_of_range
from runtime_common.endpoints.postgres_schema import ALIAS
from runtime_common.exceptions import ConfigurationError, DataError

if TYPE_CHECKING:
    import psycopg

    from runtime_common.contracts import CursorFamily
    from runtime_common.protocols import CursorColumn

_SQL_TYPES: dict[CursorFamily, str] = {
    "timestamptz": "timestamptz",
    "timestamp": "timestamp",
    "date": "date",
    "integer": "bigint",
    "decimal": "numeric",
    "text": "text",
}
# Canonical text of a value, made by the server: it knows its own precision.
_CANONICAL: dict[CursorFamily, str] = {
    "timestamptz": """to_char({0}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "timestamp": """to_char({0}, 'YYYY-MM-DD"T"HH24:MI:SS.US')""",
    "date": "to_char({0}, 'YYYY-MM-DD')",
    "integer": "({0})::text",
    "decimal": "trim_scale({0})::text",
    "text": "{0}",
}
_NOT_FINITE: dict[CursorFamily, str] = {
    "timestamptz": "'infinity', '-infinity'",
    "timestamp": "'infinity', '-infinity'",
    "date": "'infinity', '-infinity'",
    "decimal": "'NaN', 'Infinity', '-Infinity'",
}


def order_key(column: CursorColumn) -> sql.Composable:
    """Return the column in the order of cursors: texts by code point, whatever the database's collation."""
    name = sql.SQL("{}.{}").format(ALIAS, sql.Identifier(column.field))
    return sql.SQL('{} COLLATE "C"').format(name) if column.family == "text" else name


def literal(value: str, family: CursorFamily) -> sql.Composed:
    """Return canonical text as a value of the column's type.

    Raises:
        CheckpointMismatchError: The text is not canonical.
    """
    return sql.SQL("{}::{}").format(sql.Literal(check_canonical(family, value)), sql.SQL(_SQL_TYPES[family]))


def within(
    column: CursorColumn, *, lower: str | None, upper: str | None, lookback_seconds: float = 0
) -> sql.Composable:
    """Return the condition ``lower - lookback <= cursor <= upper``; without an upper bound no row meets it."""
    key = order_key(column)
    if upper is None:
        return sql.SQL("false")
    condition = sql.SQL("{} <= {}").format(key, literal(upper, column.family))
    if lower is None:
        return condition
    bound = literal(lower, column.family)
    if lookback_seconds:
        bound = sql.SQL("({} - make_interval(secs => {}))::{}").format(
            bound, sql.Literal(lookback_seconds), sql.SQL(_SQL_TYPES[column.family])
        )
    # Inclusive: rows that arrived late with the watermark's own value are found again (rule R2).
    return sql.SQL("{} AND {} >= {}").format(condition, key, bound)


def read_bounds(
    connection: psycopg.Connection, source: sql.Composable, column: CursorColumn, lag_seconds: float
) -> tuple[str | None, int]:
    """Return the canonical upper bound and the number of NULL cursors, both of the snapshot (rule R4).

    Raises:
        ConfigurationError: A lag was asked for a cursor that is no time.
        DataError: A cursor value is not finite, or the highest one has no four-digit year or is the empty text.
    """
    if lag_seconds and column.family not in TIME_FAMILIES:
        raise ConfigurationError(
            f"lagSeconds needs a time cursor, but {column.field!r} is {column.sql_type}", field="policy.lagSeconds"
        )
    key = order_key(column)
    highest: sql.Composable = sql.SQL("max({})").format(key)
    if lag_seconds:
        # LEAST ignores NULL, which an empty table's maximum is: then there is nothing to bound either.
        highest = sql.SQL(
            "CASE WHEN max({0}) IS NOT NULL THEN LEAST(max({0}), (now() - make_interval(secs => {1}))::{2}) END"
        ).format(key, sql.Literal(lag_seconds), sql.SQL(_SQL_TYPES[column.family]))
    not_finite: sql.Composable = sql.SQL("0")
    if column.family in _NOT_FINITE:
        not_finite = sql.SQL("(SELECT count(*) FROM {} WHERE {} IN ({}))").format(
            source, key, sql.SQL(_NOT_FINITE[column.family])
        )
    # Three sub-selects, not one pass with filters: each can use an index on the cursor.
    query = sql.SQL("SELECT (SELECT {} FROM {}), (SELECT count(*) FROM {} WHERE {} IS NULL), {}").format(
        sql.SQL(_CANONICAL[column.family]).format(highest), source, source, key, not_finite
    )
    row = connection.execute(query).fetchone()
    upper, nulls, infinite = row if row is not None else (None, 0, 0)
    if infinite:
        raise DataError(
            f"{infinite} row(s) have NaN or infinity in cursor column {column.field!r}, which would hide all later "
            "rows; correct them or choose another column",
            code="CURSOR_NOT_FINITE",
            field=column.field,
        )
    if upper == "":
        raise empty_text(column.field)
    # The server writes five digits for later years; all other families are canonical as it writes them.
    if upper is not None and not is_canonical(column.family, upper):
        raise out_of_range(column.field)
    return upper, nulls
