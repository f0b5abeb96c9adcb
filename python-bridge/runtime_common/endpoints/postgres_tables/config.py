"""Config of the sinks that write PostgreSQL tables."""

from __future__ import annotations

from typing import Annotated

from psycopg.conninfo import make_conninfo
from pydantic import Field, StringConstraints

from runtime_common.endpoints.descriptor import group
from runtime_common.endpoints.postgres_config import SESSION_SETTINGS, PostgresConnection

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$")]


class PostgresTablesConfig(PostgresConnection):
    """How to reach the database, where in it the tables are, and how long a commit may wait."""

    schema_: Annotated[
        Name,
        Field(
            alias="schema",
            title="Schema",
            description="Schema of the tables; made when missing",
            examples=["staging"],
            json_schema_extra=group("Object"),
        ),
    ] = "public"
    control_schema: Annotated[
        Name,
        Field(
            title="Control schema",
            description="Schema of the table `commits`, which records what was committed; made when missing. Everyone "
            "who writes the same tables must name the same one",
            examples=["nucleus"],
            json_schema_extra=group("Object"),
        ),
    ] = "nucleus"
    lock_timeout_seconds: Annotated[
        int,
        Field(
            title="Lock timeout (s)",
            description="How long a commit waits for a table that another session has locked before it fails and is "
            "tried again",
            examples=[300],
            ge=1,
            le=86_400,
            json_schema_extra=group("Limits"),
        ),
    ] = 300
    idle_timeout_seconds: Annotated[
        int,
        Field(
            title="Idle timeout (s)",
            description="How long a worker may stand still within a commit before the server ends its session, which "
            "frees the table for others",
            examples=[10],
            ge=1,
            le=3_600,
            json_schema_extra=group("Limits"),
        ),
    ] = 10

    def conninfo(self) -> str:
        """Return libpq's connection string, with the time-outs of a commit; see the base."""
        settings = SESSION_SETTINGS | {
            "lock_timeout": f"{self.lock_timeout_seconds}s",
            "idle_in_transaction_session_timeout": f"{self.idle_timeout_seconds}s",
        }
        return make_conninfo(
            super().conninfo(), options=" ".join(f"-c {name}={value}" for name, value in settings.items())
        )
