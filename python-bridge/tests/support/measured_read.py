"""Reads a topic and prints how far its memory has grown by that, in MiB, and the messages: ``address topic``."""

from __future__ import annotations

import sys
from pathlib import Path

from runtime_common.cancellation import Cancellation
from runtime_common.endpoints.kafka.config import KafkaConfig
from runtime_common.endpoints.kafka.source import KafkaSource
from runtime_common.protocols import ReadRequest


def peak_mebibytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024


if __name__ == "__main__":
    address, topic = sys.argv[1:]
    source = KafkaSource(KafkaConfig(bootstrap_servers=[address]))
    request = ReadRequest(object={"topic": topic, "valueFormat": "bytes"}, cursor_field="offsets")
    before = peak_mebibytes()
    with source.open(request, Cancellation()) as read:
        messages = sum(batch.num_rows for batch in read.batches(lower=None, upper=read.upper_bound))
    sys.stdout.write(f"{peak_mebibytes() - before} {messages}\n")
