"""The Python Temporal worker: rows on task queue ``nucleus-data``, answers on ``nucleus-data-questions``.

Run it as a script: ``python python-bridge/temporal/metadata_worker.py``. It prints a JSON line with ``"msg": "ready"``
once Spark is warm and the queues are polled, and leaves with code 0 on SIGTERM or SIGINT.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

# As a script this file's own folder is on the path, not the one above it that holds the packages.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from temporalio.client import Client
from temporalio.worker import Worker

from ingestion_runtime.activities import IngestionActivities
from ingestion_runtime.events import EventPoster
from runtime_common.endpoints import EndpointFactory
from runtime_common.exceptions import IngestionError
from runtime_common.failpoints import refuse_in_production
from runtime_common.json_logs import configure_logs
from runtime_common.run_metadata import RunMetadataFolder
from runtime_common.settings import Settings, load_settings
from runtime_common.spark import SparkEngine
from runtime_common.staging_providers import staging_providers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runtime_common.protocols import StagingProvider

TASK_QUEUE = "nucleus-data"
QUESTIONS_TASK_QUEUE = "nucleus-data-questions"
# Runs at once; each holds one source connection, and Spark shares its cores among those that commit.
MAX_RUNS = 8
# Connection tests and previews at once, beside the runs: somebody waits for them.
MAX_QUESTIONS = 4
CONNECT_DEADLINE_SECONDS = 60.0
SWEEP_INTERVAL_SECONDS = 600.0
# A running slice rarely ends within it; it is there so that a commit in flight does.
GRACEFUL_SHUTDOWN = timedelta(seconds=5)
# The server hears of a cancellation only by heartbeats, so they must not be held back for long.
HEARTBEAT_THROTTLE = timedelta(seconds=1)

_log = logging.getLogger("nucleus.worker")


async def _connect(settings: Settings, stop: asyncio.Event) -> Client | None:
    """Connect to Temporal, waiting for a server that is still starting."""
    deadline = asyncio.get_running_loop().time() + CONNECT_DEADLINE_SECONDS
    while not stop.is_set():
        try:
            return await Client.connect(settings.temporal_address, namespace=settings.temporal_namespace)
        except RuntimeError:
            if asyncio.get_running_loop().time() > deadline:
                raise
            _log.info("waiting for Temporal", extra={"data": {"address": settings.temporal_address}})
            await _wait(stop, 1.0)
    return None


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def _sweep(areas: Mapping[str, StagingProvider | RunMetadataFolder], stop: asyncio.Event) -> None:
    while not stop.is_set():
        for name, area in areas.items():
            try:
                await asyncio.to_thread(area.ttl_cleanup, datetime.now(UTC))
            except (OSError, IngestionError) as error:
                # A disk that comes back must find the sweeper alive, and its failure must not break the shutdown.
                reason = error.strerror if isinstance(error, OSError) else error.message
                _log.warning(f"the {name} area can't be swept", extra={"data": {"reason": reason}})
        await _wait(stop, SWEEP_INTERVAL_SECONDS)


def _worker(
    client: Client, task_queue: str, activities: list[Callable[..., Any]], *, at_once: int, executor: ThreadPoolExecutor
) -> Worker:
    return Worker(
        client,
        task_queue=task_queue,
        activities=activities,
        activity_executor=executor,
        max_concurrent_activities=at_once,
        graceful_shutdown_timeout=GRACEFUL_SHUTDOWN,
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        default_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
    )


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    spark = SparkEngine(jars=settings.spark_jars_dir)
    opened = ExitStack()
    staging = opened.enter_context(staging_providers(settings, spark))
    poster = EventPoster(url=settings.events_url, token=settings.internal_token)
    metadata = RunMetadataFolder(settings.metadata_root)
    sweeper = asyncio.create_task(_sweep({**staging, "metadata": metadata}, stop))
    try:
        factory = EndpointFactory(secret_key=settings.secret_key, spark=spark, http_addresses=settings.http_addresses)
        client, _ = await asyncio.gather(_connect(settings, stop), asyncio.to_thread(spark.warm_up))
        if client is None:
            return
        activities = IngestionActivities(factory=factory, staging=staging, metadata=metadata, poster=poster)
        with ThreadPoolExecutor(max_workers=MAX_RUNS + MAX_QUESTIONS, thread_name_prefix="activity") as executor:
            async with (
                _worker(client, TASK_QUEUE, activities.work(), at_once=MAX_RUNS, executor=executor),
                _worker(client, QUESTIONS_TASK_QUEUE, activities.questions(), at_once=MAX_QUESTIONS, executor=executor),
            ):
                descriptor_hash = factory.templates().descriptor_hash
                poster.worker_ready(descriptor_hash)
                _log.info("ready", extra={"data": {"taskQueue": TASK_QUEUE, "descriptorHash": descriptor_hash}})
                await stop.wait()
                _log.info("stopping")
    finally:
        stop.set()
        await sweeper
        await asyncio.to_thread(poster.close)
        await asyncio.to_thread(opened.close)
        await asyncio.to_thread(spark.close)


def main() -> int:
    """Start the worker and return its exit code."""
    configure_logs("INFO")
    try:
        refuse_in_production()
        settings = load_settings(os.environ, needs_secret_key=True)
        configure_logs(settings.log_level)
        asyncio.run(run(settings))
    except IngestionError as error:
        _log.error("the worker can't run", extra={"data": error.as_detail()})
        return 1
    _log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
