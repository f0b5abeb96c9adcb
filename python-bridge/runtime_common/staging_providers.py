"""The staging providers of one process, from its settings."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from runtime_common.endpoints.hdfs import HDFS_PROVIDER_ID, HdfsDirectoryStaging
from runtime_common.staging import IN_MEMORY_PROVIDER_ID, PROVIDER_ID, InMemoryStaging, LocalDirectoryStaging

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runtime_common.protocols import StagingProvider
    from runtime_common.settings import Settings
    from runtime_common.spark import SparkEngine


@contextmanager
def staging_providers(settings: Settings, spark: SparkEngine) -> Iterator[Mapping[str, StagingProvider]]:
    """Yield the providers by id, and close them afterwards.

    Args:
        settings: HDFS is offered where they name a place on it.
        spark: Its JVM reaches HDFS; not started before that is needed.

    Raises:
        StagingError: The staging root can't be used.
    """
    with ExitStack() as opened:
        local = opened.enter_context(closing(LocalDirectoryStaging(settings.staging_root)))
        memory = opened.enter_context(
            closing(InMemoryStaging(limit_bytes=settings.staging_memory_bytes, overflow=local))
        )
        providers: dict[str, StagingProvider] = {PROVIDER_ID: local, IN_MEMORY_PROVIDER_ID: memory}
        if settings.staging_url is not None:
            hdfs = HdfsDirectoryStaging(settings.staging_url, engine=spark, overflow=local)
            providers[HDFS_PROVIDER_ID] = opened.enter_context(closing(hdfs))
        yield providers
