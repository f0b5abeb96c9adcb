"""A worker whose one activity does nothing: ``python -m benchmarks.bare_worker ADDRESS NAMESPACE QUEUE``."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from benchmarks.waiting import await_word


@activity.defn(name="nothing")
def nothing() -> None:
    """Do nothing, in a thread as the activities that move rows."""


async def serve(address: str, namespace: str, queue: str) -> None:
    """Poll until standard input ends."""
    client = await Client.connect(address, namespace=namespace)
    with ThreadPoolExecutor(max_workers=8) as executor:
        async with Worker(client, task_queue=queue, activities=[nothing], activity_executor=executor):
            await asyncio.to_thread(await_word)


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
