"""An Iceberg REST catalog in a process of its own: Iceberg's handlers of its protocol, from the jars of Spark."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyspark
from pyiceberg.catalog.rest import RestCatalog

from tests.support.java_process import JVM_OPTIONS, java_command, record_process
from tests.support.sink_kinds import JARS

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCE = Path(__file__).with_name("RestCatalog.java")
_SPARK = Path(pyspark.__file__).parent / "jars"


@dataclass(frozen=True)
class CatalogServer:
    """How to reach it, and what it lets in."""

    uri: str
    token: str = "the catalog's token"
    client: str = "nucleus"
    client_secret: str = "the client's secret"

    @property
    def credential(self) -> str:
        return f"{self.client}:{self.client_secret}"

    def rows(self, namespace: str, table: str) -> list[dict[str, object]]:
        """Read a table by pyiceberg, through the catalog, in the order of its ids."""
        found = RestCatalog("independent", uri=self.uri, token=self.token).load_table((namespace, table))
        return sorted(found.scan().to_arrow().to_pylist(), key=lambda row: row["id"])


@contextmanager
def running_catalog(warehouse: Path) -> Iterator[CatalogServer]:
    """Yield a fresh catalog whose tables are in ``warehouse``; it is ended afterwards."""
    served = CatalogServer("")
    with (warehouse.parent / f"{warehouse.name}.log").open("wb") as log:
        process = subprocess.Popen(
            [java_command(), *JVM_OPTIONS, "-cp", f"{JARS}/*:{_SPARK}/*", str(_SOURCE), str(warehouse), served.token,
             served.credential],
            stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True,
        )  # fmt: skip
    record_process(process.pid, "rest-catalog")
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, (warehouse.parent / f"{warehouse.name}.log").read_text()[-4000:]
        yield CatalogServer(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.communicate(timeout=30)
