"""Leases: files kept fresh by a thread, so that a sweep in any process sees who is at work."""

from __future__ import annotations

import contextlib
import secrets
import threading
from typing import TYPE_CHECKING

from runtime_common.exceptions import IngestionError, StagingError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import PurePosixPath

    from runtime_common.file_store import FileStore

LEASE_SECONDS = 120.0
_REFRESH_SECONDS = 15.0
_PREFIX = "lease-"


def has_fresh_lease(files: FileStore, group: PurePosixPath, now: datetime) -> bool:
    """Return whether a lease in ``group`` was renewed within the last :data:`LEASE_SECONDS`."""
    return any(
        entry.name.startswith(_PREFIX) and now.timestamp() - entry.modified_at < LEASE_SECONDS
        for entry in files.entries(group)
    )


class LeaseKeeper:
    """Holds leases and renews them from one background thread."""

    def __init__(self, files: FileStore) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._held: set[PurePosixPath] = set()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(self, group: PurePosixPath) -> PurePosixPath:
        """Create a lease in ``group`` and keep it fresh until it is released.

        Raises:
            StagingError: The file can't be written.
        """
        lease = group / f"{_PREFIX}{secrets.token_hex(8)}.json"
        try:
            self._files.touch(lease)
        except OSError as error:
            raise StagingError(
                f"a staging lease can't be written: {error.strerror}; check the staging area's place and rights"
            ) from None
        with self._lock:
            self._held.add(lease)
            if self._thread is None:
                self._thread = threading.Thread(target=self._renew, name="staging-leases", daemon=True)
                self._thread.start()
        return lease

    def release(self, lease: PurePosixPath) -> None:
        """Give the lease up; one that can't be removed goes stale by itself."""
        with self._lock:
            self._held.discard(lease)
        with contextlib.suppress(OSError, IngestionError):
            self._files.remove(lease)

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
                with contextlib.suppress(OSError, IngestionError):
                    self._files.touch(lease)
