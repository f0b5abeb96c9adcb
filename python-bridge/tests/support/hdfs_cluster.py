"""A small HDFS of the tests' own: name node and data node in one process, from the jars that the set-up has copied."""

from __future__ import annotations

import getpass
import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.support.java_process import JVM_OPTIONS, free_ports, java_command, record_process

if TYPE_CHECKING:
    from collections.abc import Iterator

_REPOSITORY = Path(__file__).resolve().parents[3]
_JARS = Path(os.environ.get("HADOOP_JARS_DIR", _REPOSITORY / ".nucleus" / "jars" / "hadoop"))
_LOGGING = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
_READY_SECONDS = 90.0


class HdfsCluster:
    """What the tests see of it beside Hadoop's client: WebHDFS, which shares no code with it.

    Attributes:
        url: Root of the file system.
    """

    def __init__(self, name_port: int, http_port: int) -> None:
        self.url = f"hdfs://127.0.0.1:{name_port}"
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{http_port}/webhdfs/v1", follow_redirects=True, timeout=30, trust_env=False
        )

    def names(self, path: str) -> list[str]:
        """Return the names in a directory; nothing when it is missing."""
        answer = self._http.get(path, params={"op": "LISTSTATUS"})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return []
        return [one["pathSuffix"] for one in answer.raise_for_status().json()["FileStatuses"]["FileStatus"]]

    def read(self, path: str) -> bytes:
        return self._http.get(path, params={"op": "OPEN"}).raise_for_status().content

    def write(self, path: str, content: bytes) -> None:
        """Replace a file."""
        params = {"op": "CREATE", "overwrite": "true", "user.name": _user()}
        self._http.put(path, params=params, content=content).raise_for_status()

    def remove(self, path: str) -> None:
        params = {"op": "DELETE", "recursive": "true", "user.name": _user()}
        self._http.delete(path, params=params).raise_for_status()

    def limit(self, path: str, bytes_: int) -> None:
        """Set the space that a directory may take."""
        params = {"op": "SETQUOTA", "storagespacequota": str(bytes_), "user.name": _user()}
        self._http.put(path, params=params).raise_for_status()

    def download(self, path: str, folder: Path) -> list[str]:
        """Copy the Parquet files of a directory to this machine."""
        folder.mkdir(parents=True, exist_ok=True)
        copies = []
        for name in self.names(path):
            if name.endswith(".parquet"):
                (folder / name).write_bytes(self.read(f"{path}/{name}"))
                copies.append(str(folder / name))
        return copies

    def answers(self) -> bool:
        """Return whether files can be written: the name node knows a data node and has left its safe mode."""
        try:
            self.write("/ready", b"yes")
        except httpx.HTTPError:
            return False
        return True

    def close(self) -> None:
        self._http.close()


@contextmanager
def running_hdfs(home: Path) -> Iterator[HdfsCluster]:
    """Yield a fresh cluster; it is ended afterwards."""
    name_port, http_port = free_ports(2)
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(
            [
                java_command(), *JVM_OPTIONS, *_LOGGING, f"-Dtest.build.data={home / 'data'}", "-cp", f"{_JARS}/*",
                "org.apache.hadoop.test.MiniDFSClusterManager", "-format", "-datanodes", "1",
                "-nnport", str(name_port), "-httpport", str(http_port),
            ],
            stdout=log, stderr=log, cwd=home, start_new_session=True,
        )  # fmt: skip
    record_process(process.pid, "hdfs")
    cluster = HdfsCluster(name_port, http_port)
    try:
        deadline = time.monotonic() + _READY_SECONDS
        while not cluster.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((home / "log").read_text()[-4000:])
            time.sleep(0.1)
        yield cluster
    finally:
        cluster.close()
        process.kill()
        process.wait(timeout=30)


def _user() -> str:
    """Return the user that Hadoop's client is by itself: who has started this process."""
    return os.environ.get("HADOOP_USER_NAME") or getpass.getuser()
