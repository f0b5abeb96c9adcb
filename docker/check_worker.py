"""Health check of a worker's container: exit code 0 when this host polls the task queue given as the argument."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

# A poll waits up to a minute for work, and is only then seen again.
SEEN_WITHIN_SECONDS = 150


async def is_polled(task_queue: str) -> bool:
    """Tell whether a worker on this host has polled the queue lately."""
    namespace = os.environ["TEMPORAL_NAMESPACE"]
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"], namespace=namespace)
    request = DescribeTaskQueueRequest(
        namespace=namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    described = await client.workflow_service.describe_task_queue(request)
    oldest = time.time() - SEEN_WITHIN_SECONDS
    return any(
        poller.identity.endswith(f"@{socket.gethostname()}") and poller.last_access_time.seconds > oldest
        for poller in described.pollers
    )


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(is_polled(sys.argv[1])) else 1)
