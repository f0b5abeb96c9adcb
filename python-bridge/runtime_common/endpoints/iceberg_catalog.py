"""Where Iceberg tables are registered, as Spark reaches it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from runtime_common.endpoints.sink_turn import openlineage_name
from runtime_common.exceptions import SinkError
from runtime_common.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyspark.sql import SparkSession

# Classes of Iceberg's REST client, by which it tells what the server said.
_REFUSALS = (
    (
        "NotAuthorizedException",
        "SINK_AUTHENTICATION_FAILED",
        "sink.config.token",
        "the catalog refuses token or credential; correct it",
    ),
    (
        "ForbiddenException",
        "SINK_ACCESS_DENIED",
        "sink.config.namespace",
        "the catalog does not let this user do that; grant the right on the namespace",
    ),
)
_UNREACHABLE = ("ConnectException", "UnknownHostException", "HttpHostConnectException", "ServiceUnavailableException")


@dataclass(frozen=True, kw_only=True)
class IcebergCatalog:
    """A catalog and the namespace in it.

    Attributes:
        settings: Of Spark's catalog, without their common prefix; they may hold secrets.
        namespace: Namespace of the tables.
        dataset_namespace: Namespace of the tables in lineage.
        dataset_prefix: What a table's name in lineage begins with.
    """

    settings: Mapping[str, str]
    namespace: str
    dataset_namespace: str
    dataset_prefix: str

    @property
    def name(self) -> str:
        """Name of the catalog in Spark, which is another one for other settings."""
        text = json.dumps(dict(self.settings), sort_keys=True)
        return f"nucleus_{sha256(text.encode()).hexdigest()[:12]}"

    def identifier(self, target: str) -> str:
        """Return a table's name in Spark SQL."""
        return f"{self.name}.`{self.namespace}`.`{target}`"

    def add_to(self, spark: SparkSession) -> None:
        """Make the catalog known to a session."""
        prefix = f"spark.sql.catalog.{self.name}"
        spark.conf.set(prefix, "org.apache.iceberg.spark.SparkCatalog")
        for name, value in self.settings.items():
            spark.conf.set(f"{prefix}.{name}", value)
        # Another worker may have committed: a cached table would hide it.
        spark.conf.set(f"{prefix}.cache-enabled", "false")

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Type what a catalog server answers; everything else stays as it is.

        Raises:
            SinkError: The catalog refuses the login or the right, can't be reached, or another writer was faster.
        """
        try:
            yield
        except (Py4JJavaError, PySparkException) as error:
            failure = self._refusal(str(error))
            if failure is None:
                raise
        else:
            return
        raise failure

    def _refusal(self, text: str) -> SinkError | None:
        for name, code, field, advice in _REFUSALS:
            if name in text:
                return SinkError(advice, code=code, field=field, retryable=False)
        if "CommitFailedException" in text:
            return SinkError("another writer changed the table meanwhile; try again", code="SINK_CONFLICT")
        if any(name in text for name in _UNREACHABLE):
            return SinkError(
                f"no connection to the catalog {redact(self.dataset_namespace)}; check its address and that it runs",
                code="SINK_UNREACHABLE",
                field="sink.config.uri",
            )
        return None


def hadoop_catalog(warehouse: str, namespace: str) -> IcebergCatalog:
    """Return the catalog that a directory of tables is by itself."""
    dataset_namespace, path = openlineage_name(warehouse, namespace)
    return IcebergCatalog(
        settings={"type": "hadoop", "warehouse": warehouse},
        namespace=namespace,
        dataset_namespace=dataset_namespace,
        dataset_prefix=f"{path}/",
    )
