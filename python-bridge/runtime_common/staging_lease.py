"""Leases: files kept fresh by a thread, so that a sweep in any process sees who is at work."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from typing import TYPE_CHECKING

from runtime_common.exceptions import StagingError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

LEASE_SECONDS = 120.0
_REFRESH_SECONDS = 15.0


def has_fresh_lease(group: Path, now: datetime) -> bool:
    """Return whether a lease in ``group`` was renewed within the last :data:`LEASE_SECONDS`."""
    for lease in group.glob("lease-*.json"):
        with contextlib.suppress(FileNotFoundError):
            if now.timestamp() - lease.stat().st_mtime < LEASE_SECONDS:
                return True
    return False


class LeaseKeeper:
    """Holds leases and renews them from one background thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[Path] = set()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(self, group: Path) -> Path:
        """Create a lease in ``group`` and keep it fresh until it is released.

        Raises:
            StagingError: The file can't be written.
        """
        lease = group / f"lease-{secrets.token_hex(8)}.json"
        try:
            lease.write_text(f'{{"pid": {os.getpid()}}}\n', encoding="utf-8")
        except OSError as error:
            raise StagingError(f"a staging lease can't be written: {error.strerror}; check STAGING_ROOT") from None
        with self._lock:
            self._held.add(lease)
            if self._thread is None:
                self._thread = threading.Thread(target=self._renew, name="staging-leases", daemon=True)
                self._thread.start()
        return lease

    def release(self, lease: Path) -> None:
        """Give the lease up."""
        with self._lock:
            self._held.discard(lease)
        with contextlib.suppress(FileNotFoundError):
            lease.unlink()

    def close(self) -> None:
        """Stop renewing; leases still held go stale by themselves."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _renew(self) -> None:
        while not self._closed.wait(_REFRESH_SECONDS):
            with self._lock:
                held = list(self._held)
            for lease in held:
                with contextlib.suppress(OSError):
                    os.utime(lease)
