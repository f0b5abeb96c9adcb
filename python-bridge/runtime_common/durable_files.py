"""Files that exist whole or not at all, also after a power cut."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def sync_directory(directory: Path) -> None:
    """Make the names inside ``directory`` durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make the content of ``path`` durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def removed_on_failure(path: Path) -> Iterator[None]:
    """Leave no part of a file behind whose writing fails: on a full disk it would take the room of the next one."""
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _write_temporary(path: Path, content: bytes, *, mode: int | None = None) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    with removed_on_failure(temporary), temporary.open("xb") as file:
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def create_exclusively(path: Path, content: bytes) -> bool:
    """Create ``path`` with its full content, unless it exists.

    A hard link is the exclusive step: unlike ``O_EXCL`` it can never leave a half-written file under the name.

    Returns:
        False when somebody else created it first.
    """
    temporary = _write_temporary(path, content)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
    sync_directory(path.parent)
    return True


def replace_file(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Set the content of ``path``; readers see the old or the new one, never a part.

    Args:
        path: In a directory that exists.
        content: All of it.
        mode: Rights of the file, set before there is content in it; None for what the process gives any file.
    """
    temporary = _write_temporary(path, content, mode=mode)
    temporary.replace(path)
    sync_directory(path.parent)
