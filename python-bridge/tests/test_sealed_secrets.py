from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtime_common.exceptions import SecretError
from runtime_common.sealed_secrets import SecretKey, open_config, without_secrets

VECTORS = json.loads((Path(__file__).resolve().parents[2] / "test" / "secrets" / "vectors.json").read_text("utf-8"))
KEY = SecretKey.from_base64(VECTORS["key"])


@pytest.mark.parametrize("vector", VECTORS["opens"], ids=lambda vector: vector["name"])
def test_what_the_server_sealed_is_opened(vector):
    assert KEY.open(vector["sealed"], endpoint_id=vector["endpointId"], field=vector["field"]) == vector["plaintext"]


@pytest.mark.parametrize(("endpoint", "field"), [("another", "password"), (VECTORS["opens"][0]["endpointId"], "user")])
def test_a_secret_is_bound_to_its_endpoint_and_field(endpoint, field):
    with pytest.raises(SecretError) as caught:
        KEY.open(VECTORS["opens"][0]["sealed"], endpoint_id=endpoint, field=field)
    assert caught.value.field == f"config.{field}"


@pytest.mark.parametrize("sealed", ["v2.AAAA", "v1.", "v1.AAAA", "v1.!!!!"])
def test_what_no_server_sealed_is_refused(sealed):
    with pytest.raises(SecretError):
        KEY.open(sealed, endpoint_id="e", field="f")


def test_a_config_is_opened_at_any_depth():
    vector = next(one for one in VECTORS["opens"] if "." in one["field"])
    outer, inner = vector["field"].split(".")
    config = {"host": "h", outer: {inner: {"$sealed": vector["sealed"]}, "user": "u"}}
    assert open_config(config, endpoint_id=vector["endpointId"], key=KEY) == {
        "host": "h",
        outer: {inner: vector["plaintext"], "user": "u"},
    }
    assert without_secrets(config) == {"host": "h", outer: {"user": "u"}}


def test_a_missing_or_malformed_key_says_which_variable():
    with pytest.raises(SecretError, match="NUCLEUS_SECRET_KEY_FILE"):
        open_config({"password": {"$sealed": "v1.AAAA"}}, endpoint_id="e", key=None)
    for text in ("short", "AAAA", "%%%%"):
        with pytest.raises(SecretError, match="NUCLEUS_SECRET_KEY"):
            SecretKey.from_base64(text)
