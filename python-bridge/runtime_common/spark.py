"""The worker's one long-lived Spark session."""

from __future__ import annotations

import contextlib
import logging
import secrets
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError
from pyspark import SparkContext
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from runtime_common.exceptions import ConfigurationError, EngineLostError, SinkError
from runtime_common.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runtime_common.cancellation import Cancellation

_JVM_EXIT_SECONDS = 20.0
_JVM_DEATH_SECONDS = 3.0
_log = logging.getLogger(__name__)


class SparkEngine:
    """Starts Spark on first use, keeps it, and starts another one when its JVM has died.

    Args:
        jars: Folder of the jars for ``spark.jars``.
        master: Spark master URL.
    """

    def __init__(self, *, jars: Path | None, master: str = "local[*]") -> None:
        self._jars = jars
        self._master = master
        self._lock = threading.Lock()
        self._root: SparkSession | None = None

    def warm_up(self) -> None:
        """Start the session and run a first job, which costs seconds only once.

        Raises:
            ConfigurationError: The jars are missing.
            EngineLostError: The JVM died meanwhile.
        """
        with self.session() as spark:
            spark.range(1).count()

    @contextmanager
    def session(self, cancellation: Cancellation | None = None) -> Iterator[SparkSession]:
        """Yield a session with its own settings on the shared context; its jobs stop when the run is cancelled.

        Raises:
            EngineLostError: The JVM went away; the next call starts a new one.
            SinkError: Spark refused or failed.
        """
        root = self._alive()
        group = f"nucleus-{secrets.token_hex(6)}"
        with self._typed_failures(root):
            spark = root.newSession()
            spark.sparkContext.setJobGroup(group, "nucleus", interruptOnCancel=True)
            if cancellation is None:
                yield spark
            else:
                # One statement is several jobs: cancelling only those that run now would let the next ones start.
                cancel = root.sparkContext._jsc.sc().cancelJobGroupAndFutureJobs
                with cancellation.interrupting(lambda: cancel(group)):
                    yield spark

    @contextmanager
    def context(self) -> Iterator[SparkContext]:
        """Yield the shared context, for calls into the JVM that start no job; raises like :meth:`session`."""
        root = self._alive()
        with self._typed_failures(root):
            yield root.sparkContext

    @contextmanager
    def _typed_failures(self, root: SparkSession) -> Iterator[None]:
        try:
            yield
        except (Py4JNetworkError, ConnectionError):
            failure: Exception = self._lost()
        except (Py4JJavaError, PySparkException) as error:
            failure = self._lost() if self._is_dead(root) else SinkError(f"Spark failed: {java_reason(error)}")
        except Py4JError as error:
            # No answer, though py4j does not say so: the connection may break a moment before the process has ended.
            failure = (
                self._lost()
                if self._is_dead(root, within=_JVM_DEATH_SECONDS)
                else SinkError(f"Spark failed: {java_reason(error)}")
            )
        else:
            return
        raise failure

    def close(self) -> None:
        """Stop Spark and its JVM."""
        with self._lock:
            if self._root is not None:
                gateway = self._root.sparkContext._gateway
                self._root.stop()
                if gateway is not None:
                    gateway.shutdown()
                self._forget(gateway)

    def _alive(self) -> SparkSession:
        with self._lock:
            if self._root is not None and self._is_dead(self._root):
                _log.warning("the Spark JVM is gone, starting another one")
                self._forget(self._root.sparkContext._gateway)
            if self._root is None:
                self._root = self._start()
            return self._root

    def _is_dead(self, root: SparkSession, *, within: float = 0) -> bool:
        process = getattr(root.sparkContext._gateway, "proc", None)
        if process is None:
            return False
        try:
            process.wait(timeout=within)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _lost(self) -> EngineLostError:
        return EngineLostError("the Spark JVM went away in mid-run; the next attempt starts another one")

    def _forget(self, gateway: Any) -> None:
        """End the JVM and drop PySpark's process-wide references, which it keeps even when the JVM is dead."""
        with contextlib.suppress(Py4JError, OSError):
            gateway.close()
        process = getattr(gateway, "proc", None)
        if process is not None:
            # PySpark's JVM lives as long as its standard input.
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.wait(timeout=_JVM_EXIT_SECONDS)
        SparkContext._active_spark_context = None
        SparkContext._gateway = None
        SparkContext._jvm = None
        SparkSession._instantiatedSession = None
        self._root = None

    def _start(self) -> SparkSession:
        jars = sorted(self._jars.glob("*.jar")) if self._jars is not None else []
        if not jars:
            raise ConfigurationError(
                "no Spark jars found; set SPARK_JARS_DIR to the folder with the Iceberg runtime",
                code="SPARK_JARS_MISSING",
            )
        builder = SparkSession.Builder().master(self._master).appName("nucleus")
        settings = {
            "spark.jars": ",".join(str(jar) for jar in jars),
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.log.level": "ERROR",
            "spark.driver.memory": "1g",
            "spark.sql.catalogImplementation": "in-memory",
            "spark.sql.warehouse.dir": tempfile.gettempdir() + "/nucleus-spark-warehouse",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.caseSensitive": "true",
            "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        }
        for name, value in settings.items():
            builder = builder.config(name, value)
        try:
            return builder.getOrCreate()
        except (Py4JError, PySparkException, ConnectionError, OSError) as error:
            failure = EngineLostError(f"Spark did not start: {java_reason(error)}")
        self._forget(SparkContext._gateway)
        raise failure


def java_reason(error: Exception) -> str:
    """Return the first line that says what happened, without stack trace or secrets."""
    java = getattr(error, "java_exception", None)
    text = str(error)
    if java is not None:
        with contextlib.suppress(Py4JError, ConnectionError):
            text = str(java.getMessage() or java.toString())
    lines = redact(text).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:500]
