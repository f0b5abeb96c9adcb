"""Errors of the data plane, one tree.

    IngestionError                      code, category, field, message, retryable
    ├── ConfigurationError              the user's config, unit or policy is wrong        category config
    │   ├── UnknownTemplateError
    │   └── SecretError                 a sealed secret can't be opened
    ├── SourceError                     the source refuses or breaks                      category source
    │   ├── SourceUnreachableError      worth another attempt
    │   └── SourceObjectError           schema, table, column or right is missing         category config
    ├── CheckpointMismatchError         the cursor no longer fits the source (rule R7)    category data
    ├── DataError                       rows that can't be moved without guessing         category data
    │   └── RowsRejectedError           the sink can't take some rows of a slice
    ├── StagingError                    the staging area fails                            category transient
    ├── SinkError                       the sink refuses or breaks                        category sink
    │   └── SinkSchemaError             the target's columns differ from the unit's
    ├── SupersededError                 another attempt committed first                   category transient
    ├── EngineLostError                 the Spark JVM went away                           category transient
    ├── InterruptedRunError             the worker is shutting down                       category transient
    └── InternalError                   a fault of ours                                   category internal
    RunCancelledError                   not an error: the run was asked to stop

A message says what to do next and never holds a secret: whoever builds one from foreign text passes it
through :func:`runtime_common.redaction.redact` first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime_common.bad_rows import RejectedRow

Category = Literal["config", "source", "sink", "transient", "data", "internal"]


class IngestionError(Exception):
    """Base of all typed failures; carries what the control plane stores beside the run.

    Args:
        message: Safe to show, says what is wrong and what to do.
        code: Upper-case name of the exact fault; part of the public contract.
        field: Config field or column at fault, e.g. ``source.config.password``.
        retryable: Whether the same call may succeed later without anyone acting.
    """

    category: ClassVar[Category] = "internal"
    default_code: ClassVar[str] = "INTERNAL"
    default_retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, code: str | None = None, field: str | None = None, retryable: bool | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.field = field
        self.retryable = self.default_retryable if retryable is None else retryable

    def as_detail(self) -> dict[str, object]:
        """Return the shape of ``ingestionFailureSchema``."""
        return {
            "code": self.code,
            "category": self.category,
            "field": self.field,
            "message": self.message,
            "retryable": self.retryable,
        }


class ConfigurationError(IngestionError):
    """The user's config, unit or policy can't work as it is."""

    category = "config"
    default_code = "INVALID_CONFIG"


class UnknownTemplateError(ConfigurationError):
    """No endpoint of that template id and role exists in this worker."""

    default_code = "UNKNOWN_TEMPLATE"


class SecretError(ConfigurationError):
    """A sealed secret can't be opened with the key that this worker has."""

    default_code = "SECRET_UNREADABLE"


class SourceError(IngestionError):
    """The source refused or broke while it was read."""

    category: ClassVar[Category] = "source"
    default_code = "SOURCE_FAILED"


class SourceUnreachableError(SourceError):
    """No connection to the source; another attempt may find it back."""

    default_code = "SOURCE_UNREACHABLE"
    default_retryable = True


class SourceObjectError(SourceError):
    """A schema, table, column or right that the unit needs is missing."""

    category: ClassVar[Category] = "config"
    default_code = "SOURCE_OBJECT_MISSING"


class CheckpointMismatchError(IngestionError):
    """The checkpoint's cursor no longer fits the source (rule R7); never answered by starting from zero."""

    category = "data"
    default_code = "CHECKPOINT_MISMATCH"


class DataError(IngestionError):
    """Rows that can't be moved without guessing or losing something."""

    category = "data"
    default_code = "DATA_REJECTED"


class RowsRejectedError(DataError):
    """The sink can't take some rows of a slice; nothing of it was committed.

    Args:
        rejected: The rows by their position in the slice, from 0.
    """

    default_code = "ROWS_REJECTED"

    def __init__(self, message: str, *, rejected: Mapping[int, RejectedRow], field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.rejected = rejected


class StagingError(IngestionError):
    """The staging area fails: full disk, missing rights, or another attempt's writer was faster."""

    category = "transient"
    default_code = "STAGING_FAILED"
    default_retryable = True


class SinkError(IngestionError):
    """The sink refused or broke."""

    category = "sink"
    default_code = "SINK_FAILED"
    default_retryable = True


class SinkSchemaError(SinkError):
    """The target's columns differ from the unit's columns."""

    default_code = "SINK_SCHEMA_MISMATCH"
    default_retryable = False


class SupersededError(IngestionError):
    """Another attempt committed to the sink after this one had looked; nothing was written."""

    category = "transient"
    default_code = "SUPERSEDED"
    default_retryable = True


class EngineLostError(IngestionError):
    """The Spark JVM went away; the next attempt gets a new one."""

    category = "transient"
    default_code = "SPARK_LOST"
    default_retryable = True


class InterruptedRunError(IngestionError):
    """The worker is shutting down; another worker continues where the sink stands."""

    category = "transient"
    default_code = "WORKER_SHUTDOWN"
    default_retryable = True


class InternalError(IngestionError):
    """A fault of the data plane itself."""


class RunCancelledError(Exception):
    """Raised inside a run that was asked to stop; everything committed so far stays committed."""
