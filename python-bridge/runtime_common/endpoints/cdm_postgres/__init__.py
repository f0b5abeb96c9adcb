"""Sink ``cdm_postgres``: rows of any source as rows of a small canonical model, in tables of PostgreSQL.

    model       the entities
    config      which field of a source becomes which canonical one
    RowMapper   rows in canonical columns, and those that can't be brought into them

Everything else is the sink ``jdbc_postgres_tables``.
"""

from runtime_common.endpoints.cdm_postgres.sink import ENDPOINT

__all__ = ["ENDPOINT"]
