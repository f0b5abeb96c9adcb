"""A registered secret is masked in every form and in every log line."""

from __future__ import annotations

import json
import logging
from urllib.parse import quote

from runtime_common.json_logs import configure_logs
from runtime_common.redaction import redact, register_secret

CANARY = "c4n4ry'\"\\ sécret/+"


def test_a_secret_is_masked_in_the_forms_drivers_print():
    register_secret(CANARY)
    for form in (CANARY, quote(CANARY, safe=""), repr(CANARY), CANARY.replace("'", "''")):
        assert "c4n4ry" not in redact(f"connection to postgres://u:{form}@h failed")


def test_a_secret_never_reaches_a_log_line(capsys):
    register_secret(CANARY)
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        configure_logs("INFO")
        try:
            raise RuntimeError(f"password is {CANARY}")
        except RuntimeError:
            logging.getLogger("x").exception("failed with %s", CANARY, extra={"data": {"config": {"password": CANARY}}})
    finally:
        root.handlers = handlers
        root.setLevel(level)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["msg"] == "failed with [secret]"
    assert "c4n4ry" not in line
