"""Sink ``jdbc_postgres_tables``: tables of a PostgreSQL database, one transaction for each slice.

PostgresTablesSink.commit() -> SliceCommit.run()
    SliceTable       COPY into a temporary table
    Ledger           whose turn it is, and the record of the commit
    tables           what the target needs: made, evolved or checked
    Movement         rows into the target by append, merge or overwrite
    RowFaults        which rows the target refuses
"""

from runtime_common.endpoints.postgres_tables.sink import ENDPOINT

__all__ = ["ENDPOINT"]
