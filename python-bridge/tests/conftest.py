"""Real servers for the tests: PostgreSQL by address or started here, one Spark per session."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from runtime_common.cancellation import Cancellation
from runtime_common.http import HttpClient, HttpLimits
from runtime_common.spark import SparkEngine
from tests.support.hdfs_cluster import HdfsCluster, running_hdfs
from tests.support.http_server import LOOPBACK, HttpServer, running_http
from tests.support.kafka_broker import KafkaBroker, running_kafka
from tests.support.postgres_cluster import running_postgres
from tests.support.units import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with running_postgres() as cluster:
        yield cluster.url


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[Database]:
    """An empty database of this test file alone."""
    name = f"bridge_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        parts = psycopg.conninfo.conninfo_to_dict(postgres_url)
        yield Database(f"postgresql://{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{name}")
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    with running_kafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def server() -> Iterator[HttpServer]:
    """An HTTP server of one test."""
    with running_http() as running:
        yield running


@pytest.fixture
def connect() -> Iterator[Callable[..., HttpClient]]:
    """What makes HTTP clients of a server, which are closed after the test."""
    opened = []

    def build(server: HttpServer, *, limits: dict[str, Any] | None = None, **options: Any) -> HttpClient:
        given: dict[str, Any] = {"rules": LOOPBACK, "cancellation": Cancellation()} | options
        client = HttpClient(server.url, limits=HttpLimits(**({"read_seconds": 10} | (limits or {}))), **given)
        opened.append(client)
        return client

    yield build
    for client in opened:
        client.close()


@pytest.fixture(scope="session")
def hdfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HdfsCluster]:
    with running_hdfs(tmp_path_factory.mktemp("hdfs")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkEngine]:
    jars = Path(os.environ.get("SPARK_JARS_DIR", _REPOSITORY / ".nucleus" / "jars" / "spark"))
    engine = SparkEngine(jars=jars, master="local[2]")
    engine.warm_up()
    yield engine
    engine.close()
