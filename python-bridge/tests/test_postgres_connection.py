"""How the source gets into a server: TLS, certificates, time limits."""

from __future__ import annotations

import socket

import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.contracts import EndpointRef
from runtime_common.endpoints import EndpointFactory
from runtime_common.exceptions import ConfigurationError, IngestionError
from runtime_common.protocols import ReadRequest
from runtime_common.spark import SparkEngine
from tests.support.certificates import server_identity
from tests.support.postgres_cluster import running_postgres
from tests.support.units import Database


@pytest.fixture(scope="module")
def authority_and_server():
    """The certificate of an authority, and a server for `localhost` that it has signed."""
    identity, authority = server_identity("localhost")
    with running_postgres(identity_pem=identity) as cluster:
        yield authority, Database(cluster.url)


def open_read(database, /, **config):
    ref = EndpointRef(endpoint_id="s", template_id="jdbc_postgres", config=database.config(**config))
    source = EndpointFactory(secret_key=None, spark=SparkEngine(jars=None)).source(ref)
    request = ReadRequest(object={"schema": "pg_catalog", "table": "pg_class"}, cursor_field=None)
    with source.open(request, Cancellation()) as read:
        return sum(batch.num_rows for batch in read.batches(lower=None, upper=None))


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_a_server_with_a_certificate_of_the_given_authority(authority_and_server, mode):
    authority, server = authority_and_server
    assert open_read(server, host="localhost", sslMode=mode, sslRootCert=authority) > 0


def test_a_certificate_made_out_to_another_host_passes_only_without_its_name(authority_and_server):
    authority, server = authority_and_server
    assert open_read(server, host="127.0.0.1", sslMode="verify-ca", sslRootCert=authority) > 0
    with pytest.raises(IngestionError, match="host name") as caught:
        open_read(server, host="127.0.0.1", sslMode="verify-full", sslRootCert=authority)
    assert (caught.value.code, caught.value.field) == ("SOURCE_TLS_FAILED", "source.config.sslRootCert")


def test_a_certificate_of_another_authority_is_refused(authority_and_server):
    _, server = authority_and_server
    _, stranger = server_identity("localhost")
    with pytest.raises(IngestionError, match="authority") as caught:
        open_read(server, host="localhost", sslMode="verify-full", sslRootCert=stranger)
    assert (caught.value.code, caught.value.retryable) == ("SOURCE_TLS_FAILED", False)


def test_a_ca_certificate_that_is_none_is_refused_before_connecting(authority_and_server):
    _, server = authority_and_server
    with pytest.raises(ConfigurationError, match="PEM") as caught:
        open_read(server, sslRootCert="/etc/ssl/root.crt")
    assert caught.value.field == "source.config.sslRootCert"


def test_a_server_that_accepts_and_says_nothing_fails_within_the_connect_timeout(database):
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(IngestionError, match="timeout") as caught:
        open_read(database, host="127.0.0.1", port=silent.getsockname()[1], connectTimeoutSeconds=2)
    assert (caught.value.code, caught.value.retryable) == ("SOURCE_UNREACHABLE", True)
