"""The one rule by which every sink decides whether a commit may happen (rule R8)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runtime_common.exceptions import ConfigurationError, SupersededError

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_common.protocols import CommitRequest, SinkCommit

_TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


def earlier_commit(
    request: CommitRequest, last: SinkCommit | None, find: Callable[[str], SinkCommit | None]
) -> SinkCommit | None:
    """Return the commit that already holds this batch, or None when it is this attempt's turn.

    Called against the very state that the commit will be made on top of; the sink then commits only if that state is
    still the current one. So of two attempts with the same slice one commits and the other finds it here.

    Args:
        request: The commit asked for.
        last: The unit's last commit in that state.
        find: Looks a batch id up in the whole history of that state.

    Raises:
        SupersededError: The unit has moved on without this batch: this attempt is a zombie.
    """
    batch_id = request.record.batch_id
    if last is not None and last.record.batch_id == batch_id:
        return last
    if (None if last is None else last.output.version) == request.expected_version:
        return None
    found = find(batch_id)
    if found is not None:
        return found
    raise SupersededError(
        f"another attempt committed to {request.target!r} since this one began; nothing was written, "
        "the next attempt continues from there"
    )


def check_target(target: str) -> str:
    """Return ``target`` if it is safe as a table or folder name.

    Raises:
        ConfigurationError: It is not.
    """
    if _TARGET.fullmatch(target) is None:
        raise ConfigurationError(
            'a target must start with a letter or digit and hold only letters, digits, "_", "." and "-" '
            "(128 characters at most)",
            field="unit.target",
        )
    return target


def openlineage_name(location: str, *parts: str) -> tuple[str, str]:
    """Return namespace and name of a data set below a directory or URL, as OpenLineage names them."""
    url = urlsplit(location)
    path = "/".join([url.path.rstrip("/"), *parts])
    if url.scheme in {"", "file"}:
        return "file", path
    return f"{url.scheme}://{url.netloc}", path.lstrip("/")
