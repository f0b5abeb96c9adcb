"""Opens the secrets that the server sealed: AES-256-GCM, bound to their endpoint and config field."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from runtime_common.exceptions import SecretError
from runtime_common.redaction import register_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

_SEALED_PATTERN = re.compile(r"v1\.([A-Za-z0-9_-]+)")
_KEY_BYTES = 32
_IV_BYTES = 12
_TAG_BYTES = 16


class SecretKey:
    """The key shared by server and worker.

    Args:
        key: 32 raw bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise SecretError(
                f"the secret key has {len(key)} bytes but needs {_KEY_BYTES}; check NUCLEUS_SECRET_KEY_FILE",
                code="SECRET_KEY_INVALID",
            )
        self._cipher = AESGCM(key)

    @classmethod
    def from_base64(cls, text: str) -> SecretKey:
        """Read the key from base64 text.

        Raises:
            SecretError: The text is no base64 or has the wrong length.
        """
        try:
            return cls(base64.b64decode(text.strip(), validate=True))
        except binascii.Error:
            raise SecretError(
                "the secret key is not base64 text; check NUCLEUS_SECRET_KEY_FILE or NUCLEUS_SECRET_KEY",
                code="SECRET_KEY_INVALID",
            ) from None

    def open(self, sealed: str, *, endpoint_id: str, field: str) -> str:
        """Return the plaintext and register it for redaction.

        Raises:
            SecretError: Wrong format, wrong key, or sealed for another endpoint or field.
        """
        path = f"config.{field}"
        match = _SEALED_PATTERN.fullmatch(sealed)
        if match is None:
            raise SecretError("the sealed secret has an unknown format; enter the secret again", field=path)
        body = match.group(1)
        try:
            raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
            if len(raw) < _IV_BYTES + _TAG_BYTES:
                raise SecretError("the sealed secret is truncated; enter the secret again", field=path)
            aad = f"nucleus:endpoint:{endpoint_id}:{field}".encode()
            plaintext = self._cipher.decrypt(raw[:_IV_BYTES], raw[_IV_BYTES:], aad).decode()
        except (InvalidTag, binascii.Error, UnicodeDecodeError):
            raise SecretError(
                "the secret can't be opened: it was sealed with another key, or for another endpoint than "
                f"{endpoint_id}; enter the secret again or give the worker the server's key",
                field=path,
            ) from None
        register_secret(plaintext)
        return plaintext


def open_config(config: Mapping[str, Any], *, endpoint_id: str, key: SecretKey | None) -> dict[str, Any]:
    """Return ``config`` with every ``{"$sealed": …}`` replaced by its plaintext.

    Raises:
        SecretError: A sealed value exists but there is no key, or it can't be opened.
    """
    return {name: _open_value(value, name, endpoint_id, key) for name, value in config.items()}


def _open_value(value: object, field: str, endpoint_id: str, key: SecretKey | None) -> object:
    if not isinstance(value, dict):
        return value
    if set(value) == {"$sealed"} and isinstance(value["$sealed"], str):
        if key is None:
            raise SecretError(
                "the config holds a sealed secret but this process has no key; set NUCLEUS_SECRET_KEY_FILE",
                code="SECRET_KEY_MISSING",
                field=f"config.{field}",
            )
        return key.open(value["$sealed"], endpoint_id=endpoint_id, field=field)
    return {name: _open_value(inner, f"{field}.{name}", endpoint_id, key) for name, inner in value.items()}


def without_secrets(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``config`` without its sealed values, for hashes that must not change when a secret is sealed anew."""
    kept: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, dict):
            if "$sealed" not in value:
                kept[name] = without_secrets(value)
        else:
            kept[name] = value
    return kept
