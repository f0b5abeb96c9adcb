"""Puts a package where an installer would, so that its entry points are found: its modules and its metadata."""

from __future__ import annotations

import shutil
import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def install(package: Path, target: Path) -> None:
    """Install the modules beside a ``pyproject.toml`` into a folder of the import path."""
    project = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
    write_metadata(target, name=project["name"], version=project["version"], entry_points=project["entry-points"])
    for module in package.glob("*.py"):
        shutil.copy(module, target)


def write_metadata(target: Path, *, name: str, version: str, entry_points: dict[str, dict[str, str]]) -> None:
    """Write what ``importlib.metadata`` reads of a package."""
    folder = target / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
    lines = [
        line
        for group, points in entry_points.items()
        for line in (f"[{group}]", *(f"{point} = {value}" for point, value in points.items()))
    ]
    (folder / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")
