"""The worker's and the command line's settings, read from the environment once by the entry points."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runtime_common.exceptions import ConfigurationError, SecretError
from runtime_common.http import AddressRules
from runtime_common.redaction import register_secret
from runtime_common.sealed_secrets import SecretKey

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_STAGING_ROOT = ".nucleus/data/staging"
DEFAULT_STAGING_MEMORY_BYTES = 256 * 1024 * 1024
DEFAULT_METADATA_ROOT = ".nucleus/data/metadata"
DEFAULT_SPARK_JARS_DIR = ".nucleus/jars/spark"
# The server's names; Python's logging has no level below DEBUG.
_LOG_LEVELS = {
    "trace": "DEBUG",
    "debug": "DEBUG",
    "info": "INFO",
    "warn": "WARNING",
    "error": "ERROR",
    "fatal": "CRITICAL",
}
_ADDRESS = re.compile(r"[^\s:]+:\d+")
_HDFS_URL = re.compile(r"hdfs://[^/?#@\s]+(/[^/?#\s]+)+/?")
_SHORTEST_TOKEN = 24


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that the environment decides."""

    temporal_address: str
    temporal_namespace: str
    staging_root: Path
    staging_memory_bytes: int
    staging_url: str | None
    metadata_root: Path
    spark_jars_dir: Path
    secret_key: SecretKey | None
    events_url: str | None
    internal_token: str | None
    log_level: str
    http_addresses: AddressRules


def load_settings(environment: Mapping[str, str], *, needs_secret_key: bool) -> Settings:
    """Read and check all variables, by the rules of the server's own settings.

    Args:
        environment: Variables by name; an empty one counts as not set, which is how .env files and Compose say so.
        needs_secret_key: Whether NUCLEUS_SECRET_KEY is required: the worker gets sealed configs, a unit file of the
            command line may hold none.

    Raises:
        ConfigurationError: Names every variable at fault, never the value of a secret.
    """
    reader = _Reader(environment)
    key = reader.secret_key(required=needs_secret_key)
    events_url = reader.events_url()
    settings = Settings(
        temporal_address=reader.matching("TEMPORAL_ADDRESS", "127.0.0.1:7233", _ADDRESS, "must be host:port"),
        temporal_namespace=reader.text("TEMPORAL_NAMESPACE") or "nucleus",
        staging_root=Path(reader.text("STAGING_ROOT") or DEFAULT_STAGING_ROOT),
        staging_memory_bytes=reader.whole_number("STAGING_MEMORY_BYTES", DEFAULT_STAGING_MEMORY_BYTES),
        staging_url=reader.optional_matching("STAGING_URL", _HDFS_URL, "must be hdfs://host:port/path"),
        metadata_root=Path(reader.text("METADATA_ROOT") or DEFAULT_METADATA_ROOT),
        spark_jars_dir=Path(reader.text("SPARK_JARS_DIR") or DEFAULT_SPARK_JARS_DIR),
        secret_key=key,
        events_url=events_url,
        internal_token=reader.internal_token(required=events_url is not None),
        log_level=reader.log_level(),
        http_addresses=reader.http_addresses(),
    )
    reader.raise_problems()
    return settings


class _Reader:
    """Reads variables and collects what is wrong with them, so that one start shows all of it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._problems: list[tuple[str, str]] = []

    def text(self, name: str) -> str | None:
        return self._environment.get(name) or None

    def matching(self, name: str, default: str, pattern: re.Pattern[str], rule: str) -> str:
        value = self.text(name) or default
        if pattern.fullmatch(value) is None:
            self._reject(name, f"{rule}, got {value!r}")
        return value

    def whole_number(self, name: str, default: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit()):
            self._reject(name, f"must be a whole number, got {value!r}")
            return default
        return int(value)

    def optional_matching(self, name: str, pattern: re.Pattern[str], rule: str) -> str | None:
        value = self.text(name)
        if value is not None and pattern.fullmatch(value) is None:
            self._reject(name, f"{rule}, got {value!r}")
        return value

    def log_level(self) -> str:
        value = self.text("LOG_LEVEL") or "info"
        if value not in _LOG_LEVELS:
            self._reject("LOG_LEVEL", f"must be one of {', '.join(_LOG_LEVELS)}, got {value!r}")
        return _LOG_LEVELS.get(value, "INFO")

    def http_addresses(self) -> AddressRules:
        try:
            return AddressRules.parse(self.text("HTTP_ALLOWED_NETWORKS") or "")
        except ValueError as error:
            self._reject("HTTP_ALLOWED_NETWORKS", f"must be networks joined by commas: {error}")
            return AddressRules()

    def events_url(self) -> str | None:
        value = self.text("NUCLEUS_EVENTS_URL")
        if value is not None and not _is_http_url(value):
            self._reject("NUCLEUS_EVENTS_URL", "must be a full http:// or https:// URL")
        return value

    def internal_token(self, *, required: bool) -> str | None:
        token = self._secret("NUCLEUS_INTERNAL_TOKEN", required="NUCLEUS_EVENTS_URL is set" if required else None)
        if token is not None and len(token) < _SHORTEST_TOKEN:
            self._reject("NUCLEUS_INTERNAL_TOKEN", f"must have at least {_SHORTEST_TOKEN} characters")
        return token

    def secret_key(self, *, required: bool) -> SecretKey | None:
        text = self._secret("NUCLEUS_SECRET_KEY", required="the worker opens sealed configs" if required else None)
        try:
            return None if text is None else SecretKey.from_base64(text)
        except SecretError as error:
            self._reject("NUCLEUS_SECRET_KEY", f"is no key: {error.message}")
            return None

    def _secret(self, name: str, *, required: str | None) -> str | None:
        given, path = self.text(name), self.text(f"{name}_FILE")
        if given is not None and path is not None:
            self._reject(name, f"and {name}_FILE are both set: keep one")
            return None
        if path is not None:
            try:
                given = Path(path).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is no text"
                self._reject(f"{name}_FILE", f"can't be read: {reason}")
                return None
        value = (given or "").strip() or None
        if value is not None:
            register_secret(value)
        elif required is not None:
            self._reject(name, f"(or {name}_FILE) is not set: needed because {required}")
        return value

    def _reject(self, name: str, problem: str) -> None:
        self._problems.append((name, problem))

    def raise_problems(self) -> None:
        if not self._problems:
            return
        text = "; ".join(f"{name} {problem}" for name, problem in self._problems)
        raise ConfigurationError(
            f"the configuration has {len(self._problems)} problem(s): {text}", field=self._problems[0][0]
        )


def _is_http_url(value: str) -> bool:
    try:
        url = urlsplit(value)
    except ValueError:
        return False
    return url.scheme in {"http", "https"} and bool(url.hostname)
