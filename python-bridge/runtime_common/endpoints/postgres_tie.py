"""Groups of equal cursor values that are too large for a checkpoint to list, told apart by a unique column.

A checkpoint that stands behind such a group holds the highest value of the tie-break column, the number of the group's
rows and a hash over their tie-break values. The next run asks the server for number and hash of the same rows. If they
are equal, those rows are what was committed and are left out. If they are not, rows have come late or are gone, and
nobody can tell which: only a sink that merges by key can take the whole group again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from runtime_common.contracts import CursorTie
from runtime_common.contracts.checkpoint import MAX_BOUNDARY_ROWS
from runtime_common.endpoints.postgres_bounds import literal, order_key
from runtime_common.exceptions import CheckpointMismatchError, ConfigurationError, DataError

if TYPE_CHECKING:
    import psycopg

    from runtime_common.contracts import Cursor
    from runtime_common.endpoints.postgres_target import Target
    from runtime_common.protocols import CursorColumn

_FIELD = "policy.tieBreakField"
# Of a partial index or one on several columns nothing follows for the column.
_UNIQUE = """
SELECT a.attnotnull,
       EXISTS (SELECT 1 FROM pg_index i
                WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                  AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)
  FROM pg_attribute a WHERE a.attrelid = %(relation)s AND a.attname = %(column)s
"""


class TieBreak:
    """A unique column of one target that orders rows of one cursor value.

    Args:
        connection: In the snapshot of the read.
        target: What is read.
        cursor: Its cursor column.
        name: Of the tie-break column.

    Raises:
        SourceObjectError: There is no such column.
        ConfigurationError: It may be NULL, or no index makes it unique.
    """

    def __init__(self, connection: psycopg.Connection, target: Target, cursor: CursorColumn, name: str) -> None:
        self._connection = connection
        self._source = target.source
        self._cursor = cursor
        self._column = target.schema.column(name, field=_FIELD)
        row = connection.execute(_UNIQUE, {"relation": target.relation or 0, "column": name}).fetchone()
        is_not_null, is_unique = row if row is not None else (False, False)
        if not (is_not_null and is_unique):
            raise ConfigurationError(
                f"tieBreakField {name!r} must be a table's column that is NOT NULL and has a unique index of its own; "
                "choose the primary key, or make such an index",
                code="TIE_BREAK_NOT_UNIQUE",
                field=_FIELD,
            )

    @property
    def order(self) -> sql.Composable:
        """What rows of one cursor value are ordered by."""
        return self._column.qualified

    def check_start(self, start: Cursor | None) -> None:
        """Hold a checkpoint's tie against this column; raises like :func:`check_no_tie`."""
        if start is not None and start.tie is not None and start.tie.field != self._column.name:
            raise _other_tie(start.tie)

    def closing(self, upper: str, start: Cursor | None) -> CursorTie | None:
        """Return what stands for the rows at the upper bound; None when a list of hashes will do."""
        group = self._group(upper)
        continues = start is not None and start.tie is not None and start.value == upper
        return group if group is not None and (continues or group.rows > MAX_BOUNDARY_ROWS) else None

    def left_out(self, start: Cursor, *, redelivers: bool) -> sql.Composable | None:
        """Return the condition that leaves the committed rows of a large group out; None to read all of them again.

        Raises:
            DataError: Rows of the group have come late or are gone, and the sink can't take the others twice.
        """
        if start.tie is None:
            return None
        if self._group(start.value, up_to=start.tie.value) == start.tie:
            return sql.SQL("NOT ({})").format(self._at(start.value, start.tie.value))
        if redelivers:
            return None
        raise DataError(
            f"rows that share the value {start.value} of cursor column {self._cursor.field!r} have come late or were "
            f"deleted since {start.tie.rows} of them were committed, and which ones can't be told; use merge, which "
            "takes all of them again, or define a new unit id with a new target",
            code="CURSOR_TIE_CHANGED",
            field=self._cursor.field,
        )

    def _group(self, value: str, *, up_to: str | None = None) -> CursorTie | None:
        tie, here = self._column.qualified, self._at(value, up_to)
        # Not max(): not every type that has an order has one.
        highest = sql.SQL("SELECT {0}::text FROM {1} WHERE {2} ORDER BY {0} DESC LIMIT 1").format(
            tie, self._source, here
        )
        row = self._connection.execute(
            sql.SQL("SELECT count(*), sum(hashtextextended({}::text, 0))::text, ({}) FROM {} WHERE {}").format(
                tie, highest, self._source, here
            )
        ).fetchone()
        rows, digest, value_at_end = row if row is not None else (0, None, None)
        if not rows:
            return None
        return CursorTie(field=self._column.name, value=up_to or value_at_end, rows=rows, digest=digest)

    def _at(self, value: str, up_to: str | None) -> sql.Composable:
        here = sql.SQL("{} = {}").format(order_key(self._cursor), literal(value, self._cursor.family))
        if up_to is None:
            return here
        bound = sql.SQL("{}::{}").format(sql.Literal(up_to), sql.SQL(self._column.sql_type))
        return sql.SQL("{} AND {} <= {}").format(here, self._column.qualified, bound)


def check_no_tie(start: Cursor | None) -> None:
    """Refuse a checkpoint that only a tie-break column can continue.

    Raises:
        CheckpointMismatchError: It holds a tie.
    """
    if start is not None and start.tie is not None:
        raise _other_tie(start.tie)


def _other_tie(tie: CursorTie) -> CheckpointMismatchError:
    return CheckpointMismatchError(
        f"the checkpoint was made with the policy tieBreakField {tie.field!r}; set it again, or define a new unit id "
        "with a new target",
        field=_FIELD,
    )
