"""A Kafka broker of the tests' own: one KRaft process on loopback, from the jars that the set-up has copied.

It listens three times: in plain text without a login, with a login (SASL), and with TLS. Who does not log in may do
everything; who logs in may do what an access rule allows.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.support.certificates import server_identity
from tests.support.java_process import JVM_OPTIONS, free_ports, java_command, record_process

if TYPE_CHECKING:
    from collections.abc import Iterator

_REPOSITORY = Path(__file__).resolve().parents[3]
_JARS = Path(os.environ.get("KAFKA_JARS_DIR", _REPOSITORY / ".nucleus" / "jars" / "kafka"))
_READY_SECONDS = 60.0
_LOGGING = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]

READER = "reader"
READER_PASSWORD = "r34der-p4ss/+é"


class KafkaBroker:
    """A broker in a folder of its own; it may be stopped and started again on the same ports and data."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._ports = free_ports(4)
        self._process: subprocess.Popen[bytes] | None = None
        plain, login, tls, self._controller_port = self._ports
        self.address = f"127.0.0.1:{plain}"
        self.login_address = f"127.0.0.1:{login}"
        self.tls_address = f"localhost:{tls}"
        key_store, self.authority = server_identity("localhost")
        (home / "server.pem").write_text(key_store)
        (home / "server.properties").write_text(self._properties())
        self.admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        self._java("kafka.tools.StorageTool", "format", "-t", _random_id(), "-c", str(home / "server.properties"))

    def start(self) -> None:
        """Start the process and wait until it answers."""
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [java_command(), *JVM_OPTIONS, *_LOGGING, "-cp", f"{_JARS}/*", "kafka.Kafka", "server.properties"],
                stdout=log, stderr=log, cwd=self._home, start_new_session=True,
            )  # fmt: skip
        record_process(self._process.pid, "kafka")
        self._await_ready(self._process)

    def stop(self) -> None:
        """End the process at once, as a machine that loses power does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=30)
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the process stand still: connections stay, and nobody answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)
            self._await_ready(self._process)

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            # A broker answers before the controller counts it in, and lists itself only after that.
            with suppress(KafkaException):
                if self.admin.list_topics(timeout=1).brokers:
                    return
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._home / "log").read_text()[-4000:])
            time.sleep(0.05)

    def _java(self, *arguments: str) -> None:
        subprocess.run(
            [java_command(), *JVM_OPTIONS, *_LOGGING, "-cp", f"{_JARS}/*", *arguments],
            check=True, capture_output=True, cwd=self._home,
        )  # fmt: skip

    def _properties(self) -> str:
        jaas = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        lines = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAIN://{self.address},LOGIN://{self.login_address},TLS://{self.tls_address},"
            f"CONTROLLER://127.0.0.1:{self._controller_port}",
            "listener.security.protocol.map": "PLAIN:PLAINTEXT,LOGIN:SASL_PLAINTEXT,TLS:SSL,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAIN",
            "listener.name.login.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "listener.name.login.plain.sasl.jaas.config": f'{jaas} user_{READER}="{_escaped(READER_PASSWORD)}";',
            "listener.name.login.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "listener.name.tls.ssl.keystore.type": "PEM",
            "listener.name.tls.ssl.keystore.location": str(self._home / "server.pem"),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "log.dirs": str(self._home / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "1",
            # A killed broker may come back at once, before the controller has missed it.
            "broker.heartbeat.interval.ms": "200",
            "broker.session.timeout.ms": "1000",
            "log.cleaner.backoff.ms": "50",
            "log.cleaner.dedupe.buffer.size": "2097152",
        }
        return "".join(f"{name}={value}\n" for name, value in lines.items())


@contextmanager
def running_kafka(home: Path) -> Iterator[KafkaBroker]:
    """Yield a fresh broker; it is ended afterwards."""
    broker = KafkaBroker(home)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


def _escaped(text: str) -> str:
    """Properties files are Latin-1."""
    return text.encode("ascii", "backslashreplace").decode().replace("\\x", "\\u00")


def _random_id() -> str:
    # The first bits of a version 4 UUID are free; a dash there would be taken for an option.
    return "N" + urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]
