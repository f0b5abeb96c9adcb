"""The worker's and the command line's settings, read from the environment once by the entry points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runtime_common.exceptions import ConfigurationError
from runtime_common.redaction import register_secret
from runtime_common.sealed_secrets import SecretKey

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_STAGING_ROOT = ".nucleus/data/staging"
DEFAULT_SPARK_JARS_DIR = ".nucleus/jars/spark"
_LOG_LEVELS = {"debug": "DEBUG", "info": "INFO", "warn": "WARNING", "warning": "WARNING", "error": "ERROR"}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that the environment decides."""

    temporal_address: str
    temporal_namespace: str
    staging_root: Path
    spark_jars_dir: Path
    secret_key: SecretKey | None
    events_url: str | None
    internal_token: str | None
    log_level: str


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Read and check all variables.

    Raises:
        ConfigurationError: A file can't be read or a value is wrong; names the variable.
        SecretError: The secret key is malformed.
    """
    key = _secret(environment, "NUCLEUS_SECRET_KEY")
    token = _secret(environment, "NUCLEUS_INTERNAL_TOKEN")
    level = environment.get("LOG_LEVEL", "info").lower()
    if level not in _LOG_LEVELS:
        raise ConfigurationError(f"LOG_LEVEL must be one of {', '.join(_LOG_LEVELS)}", field="LOG_LEVEL")
    return Settings(
        temporal_address=environment.get("TEMPORAL_ADDRESS", "127.0.0.1:7233"),
        temporal_namespace=environment.get("TEMPORAL_NAMESPACE", "nucleus"),
        staging_root=Path(environment.get("STAGING_ROOT", DEFAULT_STAGING_ROOT)),
        spark_jars_dir=Path(environment.get("SPARK_JARS_DIR", DEFAULT_SPARK_JARS_DIR)),
        secret_key=None if key is None else SecretKey.from_base64(key),
        events_url=environment.get("NUCLEUS_EVENTS_URL") or None,
        internal_token=token,
        log_level=_LOG_LEVELS[level],
    )


def _secret(environment: Mapping[str, str], name: str) -> str | None:
    path = environment.get(f"{name}_FILE")
    if path:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigurationError(f"{name}_FILE can't be read: {error.strerror}", field=f"{name}_FILE") from None
    else:
        value = environment.get(name, "").strip()
    if not value:
        return None
    register_secret(value)
    return value
