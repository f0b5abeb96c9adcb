"""Staging in a directory of HDFS, where each worker finds what another one has staged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_common.endpoints.hdfs.files import HadoopFiles
from runtime_common.staging import ABANDONED_TTL, LANDED_TTL, DirectoryStaging

if TYPE_CHECKING:
    from datetime import timedelta

    from runtime_common.spark import SparkEngine
    from runtime_common.staging import LocalDirectoryStaging

HDFS_PROVIDER_ID = "hdfs_directory"


class HdfsDirectoryStaging(DirectoryStaging):
    """Staging provider ``hdfs_directory``. Leases are compared by the clocks of workers and name node.

    Args:
        url: Of the directory, as ``hdfs://host:port/path``.
        engine: Whose JVM holds Hadoop's client.
        overflow: Takes files on their way to HDFS, and the copies for readers of this machine.
        landed_ttl: As for any :class:`DirectoryStaging`.
        abandoned_ttl: Likewise.
    """

    def __init__(
        self,
        url: str,
        *,
        engine: SparkEngine,
        overflow: LocalDirectoryStaging,
        landed_ttl: timedelta = LANDED_TTL,
        abandoned_ttl: timedelta = ABANDONED_TTL,
    ) -> None:
        super().__init__(
            HadoopFiles(engine, url, scratch=overflow.scratch), landed_ttl=landed_ttl, abandoned_ttl=abandoned_ttl
        )
