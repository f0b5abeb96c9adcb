"""What the tests' servers of Java have in common."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

# As for every JVM that lives for one test run only: no time for the second compiler to pay off.
JVM_OPTIONS = ["-Xms64m", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]


def java_command() -> str:
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else "java"


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def record_process(pid: int, name: str) -> None:
    """Leave a note for the test run, which ends what a killed pytest has left (``scripts/stack/process-record.ts``)."""
    folder = os.environ.get("TEST_RECORDS_DIR")
    boot = Path("/proc/sys/kernel/random/boot_id")
    if not folder or not boot.exists():
        return
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    record = {
        "pid": pid,
        "startedAt": f"{boot.read_text().strip()}:{ticks}",
        "name": name,
        "stopSignal": "SIGTERM",
        "stopTimeoutMs": 5000,
    }
    Path(folder, f"{name}-{pid}.pid.json").write_text(json.dumps(record))
