"""Steps of the connection test for a warehouse of Iceberg tables."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from runtime_common.contracts import CheckStep
from runtime_common.endpoints.directory_checks import directory_checks
from runtime_common.exceptions import SinkError
from runtime_common.protocols import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.spark import SparkEngine

WAREHOUSE_STEPS = (
    CheckStep(name="catalog", title="Reach the warehouse"),
    CheckStep(name="write", title="Write and remove a file"),
)
_FIELD = "sink.config.warehouse"
# Of Hadoop's client, which else tries for minutes: somebody waits for the test.
_IMPATIENT = {
    "ipc.client.connect.max.retries": "1",
    "ipc.client.connect.max.retries.on.timeouts": "1",
    "ipc.client.connect.timeout": "5000",
    "dfs.client.retry.policy.enabled": "false",
}


def warehouse_checks(warehouse: str, engine: SparkEngine, cancellation: Cancellation) -> Sequence[Check]:
    """Return ``WAREHOUSE_STEPS``. Nothing that they make outlasts them.

    Args:
        warehouse: Absolute directory, or a URL.
        engine: Reaches a URL as a commit would; a local directory needs no Spark.
        cancellation: Of the test.
    """
    url = urlsplit(warehouse)
    if url.scheme in {"", "file"}:
        find, write, _ = directory_checks(Path(unquote(url.path)), field=_FIELD)
        return (
            Check(name="catalog", run=find.run),
            Check(name="write", run=write.run, needs=("catalog",)),
        )
    remote = RemoteWarehouse(warehouse, engine, cancellation)
    return (
        Check(name="catalog", run=remote.reach),
        Check(name="write", run=remote.write, needs=("catalog",)),
    )


class RemoteWarehouse:
    """A warehouse that is reached through the file systems of Spark's Hadoop client."""

    def __init__(self, warehouse: str, engine: SparkEngine, cancellation: Cancellation, *, field: str = _FIELD) -> None:
        self._warehouse = warehouse
        self._engine = engine
        self._cancellation = cancellation
        self._field = field

    def reach(self) -> str:
        """Find the warehouse, or the closest folder above it.

        Raises:
            SinkError: The file system does not answer.
        """
        with self._file_system("reached", "SINK_UNREACHABLE") as (files, warehouse):
            exists = _nearest(files, warehouse).equals(warehouse)
        return f"{self._warehouse} can be reached" + ("" if exists else "; it will be made")

    def write(self) -> str:
        """Write and remove a file in the warehouse, or in the closest folder above it.

        Raises:
            SinkError: The file system refuses.
        """
        with self._file_system("written", "SINK_NOT_WRITABLE") as (files, warehouse):
            nearest = _nearest(files, warehouse)
            probe = nearest.suffix(f"/.nucleus-probe-{secrets.token_hex(8)}")
            try:
                files.create(probe).close()
            finally:
                files.delete(probe, False)
            return f"a file was written to {nearest.toString()} and removed"

    @contextmanager
    def _file_system(self, wanted: str, code: str) -> Iterator[tuple[Any, Any]]:
        try:
            with self._engine.session(self._cancellation) as spark:
                context = spark.sparkContext
                jvm: Any = context._jvm
                hadoop = jvm.org.apache.hadoop
                settings = hadoop.conf.Configuration(context._jsc.hadoopConfiguration())
                for name, value in _IMPATIENT.items():
                    settings.set(name, value)
                warehouse = hadoop.fs.Path(self._warehouse)
                files = hadoop.fs.FileSystem.newInstance(warehouse.toUri(), settings)
                try:
                    yield files, warehouse
                finally:
                    files.close()
        except SinkError as error:
            failure = SinkError(
                f"{self._warehouse} can't be {wanted}: {error.message}; check the URL, and the rights of the worker's "
                "user",
                code=code,
                field=self._field,
            )
        else:
            return
        raise failure


def _nearest(files: Any, warehouse: Any) -> Any:
    place = warehouse
    while place.getParent() is not None and not files.exists(place):
        place = place.getParent()
    return place
