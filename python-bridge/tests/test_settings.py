"""The environment of worker and command line, by the same rules as the server's."""

from __future__ import annotations

import base64

import pytest

from runtime_common.exceptions import ConfigurationError
from runtime_common.settings import load_settings

KEY = base64.b64encode(bytes(range(32))).decode()
TOKEN = "internal-token-of-the-settings-test"
EVENTS_URL = "http://127.0.0.1:4000/internal/ingestion-events"


def load(*, worker=True, **environment):
    return load_settings({"NUCLEUS_SECRET_KEY": KEY} | environment, needs_secret_key=worker)


@pytest.mark.parametrize(
    ("given", "level"),
    [("trace", "DEBUG"), ("debug", "DEBUG"), ("info", "INFO"), ("warn", "WARNING"), ("error", "ERROR"),
     ("fatal", "CRITICAL"), ("", "INFO")],
)  # fmt: skip
def test_the_servers_log_levels_are_understood(given, level):
    assert load(LOG_LEVEL=given).log_level == level


def test_an_empty_variable_counts_as_not_set():
    names = ["TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "STAGING_ROOT", "METADATA_ROOT", "SPARK_JARS_DIR",
             "NUCLEUS_EVENTS_URL", "NUCLEUS_INTERNAL_TOKEN", "NUCLEUS_INTERNAL_TOKEN_FILE",
             "NUCLEUS_SECRET_KEY_FILE"]  # fmt: skip
    empty, absent = load(**dict.fromkeys(names, "")), load()
    assert empty.secret_key is not None
    roots = ("staging_root", "metadata_root", "spark_jars_dir")
    for field in ("temporal_address", "temporal_namespace", *roots, "events_url"):
        assert getattr(empty, field) == getattr(absent, field)


def test_every_problem_is_listed_at_once_and_no_secret_is_shown(tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        load(
            LOG_LEVEL="loud",
            TEMPORAL_ADDRESS="nowhere",
            NUCLEUS_SECRET_KEY="bm90IGEga2V5IGF0IGFsbA==",
            NUCLEUS_EVENTS_URL="127.0.0.1:4000",
            HTTP_ALLOWED_NETWORKS="10.0.0.0/8,intranet",
            NUCLEUS_INTERNAL_TOKEN_FILE=str(tmp_path / "missing"),
        )
    message = caught.value.message
    assert "6 problem(s)" in message
    for name in ("LOG_LEVEL", "TEMPORAL_ADDRESS", "NUCLEUS_SECRET_KEY", "NUCLEUS_EVENTS_URL"):
        assert name in message
    assert "NUCLEUS_INTERNAL_TOKEN_FILE can't be read" in message
    assert "HTTP_ALLOWED_NETWORKS must be networks joined by commas: 'intranet'" in message
    assert "bm90" not in message


def test_networks_that_http_sources_may_reach_are_listed():
    assert load().http_addresses.allowed == ()
    allowed = load(HTTP_ALLOWED_NETWORKS="10.0.0.0/8, fd00::/8").http_addresses.allowed
    assert [str(network) for network in allowed] == ["10.0.0.0/8", "fd00::/8"]


@pytest.mark.parametrize("name", ["NUCLEUS_SECRET_KEY", "NUCLEUS_INTERNAL_TOKEN"])
def test_a_secret_that_is_given_twice_is_refused(tmp_path, name):
    path = tmp_path / "secret"
    path.write_text(KEY)
    with pytest.raises(ConfigurationError, match=f"{name} and {name}_FILE are both set"):
        load(**{name: KEY, f"{name}_FILE": str(path)})


def test_a_secret_comes_from_its_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    settings = load(NUCLEUS_INTERNAL_TOKEN_FILE=str(path), NUCLEUS_EVENTS_URL=EVENTS_URL)
    assert (settings.internal_token, settings.events_url) == (TOKEN, EVENTS_URL)


def test_the_internal_token_is_needed_only_where_events_are_posted():
    assert load().internal_token is None
    with pytest.raises(ConfigurationError, match="NUCLEUS_INTERNAL_TOKEN"):
        load(NUCLEUS_EVENTS_URL=EVENTS_URL)


def test_the_worker_needs_the_secret_key_and_the_command_line_does_not():
    with pytest.raises(ConfigurationError, match="NUCLEUS_SECRET_KEY"):
        load(NUCLEUS_SECRET_KEY="")
    assert load(worker=False, NUCLEUS_SECRET_KEY="").secret_key is None


def test_the_bound_of_staging_in_memory_is_a_whole_number_of_bytes():
    assert load().staging_memory_bytes == 256 * 1024 * 1024
    assert load(STAGING_MEMORY_BYTES="0").staging_memory_bytes == 0
    with pytest.raises(ConfigurationError, match="STAGING_MEMORY_BYTES must be a whole number"):
        load(STAGING_MEMORY_BYTES="1 GiB")


def test_staging_on_hdfs_is_a_url_without_a_login():
    assert load().staging_url is None
    assert (
        load(STAGING_URL="hdfs://namenode:8020/nucleus/staging").staging_url == "hdfs://namenode:8020/nucleus/staging"
    )
    for wrong in ("/local", "hdfs://namenode:8020", "hdfs://user@namenode:8020/staging", "s3://bucket/staging"):
        with pytest.raises(ConfigurationError, match="STAGING_URL must be"):
            load(STAGING_URL=wrong)
