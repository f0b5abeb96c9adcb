"""The error codes that the data plane's code names, found in its source."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass, field
from pathlib import Path

from runtime_common import exceptions

BRIDGE = Path(__file__).resolve().parents[2]
PACKAGES = ("runtime_common", "ingestion_runtime", "temporal")
# Settings have names of their own, which look the same.
_SETTINGS = {"settings.py", "failpoints.py"}
_LINK_KINDS = {"ASSIGNED_TO", "AUTHORED_BY", "CHILD_OF", "HAS_FIELD", "IN_PROJECT", "IN_SPACE", "RELATES_TO"}
OTHER_WORDS = frozenset({"HTTP_ALLOWED_NETWORKS", "SASL_PLAINTEXT", "SASL_SSL", *_LINK_KINDS})
"""Literals that look like codes and are none."""
_CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
_CLASSES = {
    name: one
    for name, one in inspect.getmembers(exceptions, inspect.isclass)
    if issubclass(one, exceptions.IngestionError)
}


@dataclass
class Use:
    """What the code says about one error code; ``categories`` and ``retryable`` where a class is raised with it."""

    places: set[str] = field(default_factory=set)
    categories: set[str] = field(default_factory=set)
    retryable: set[bool] = field(default_factory=set)


def codes_in_use() -> dict[str, Use]:
    """Return every code: defaults of the classes, codes given to one, and all other literals that look like codes."""
    found: dict[str, Use] = {}
    for one in _CLASSES.values():
        use = found.setdefault(one.default_code, Use())
        use.places.add("runtime_common/exceptions.py")
        if "default_code" in vars(one):
            use.categories.add(one.category)
            use.retryable.add(one.default_retryable)
    for package in PACKAGES:
        for path in sorted((BRIDGE / package).rglob("*.py")):
            if path.name not in _SETTINGS:
                _scan(ast.parse(path.read_text("utf-8")), str(path.relative_to(BRIDGE)), found)
    return found


def _scan(tree: ast.Module, path: str, found: dict[str, Use]) -> None:
    exported = {id(one) for node in tree.body if _is_all(node) for one in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            _take_call(node, path, found)
        if isinstance(node, ast.Constant) and id(node) not in exported and _looks_like_a_code(node.value):
            found.setdefault(str(node.value), Use()).places.add(f"{path}:{node.lineno}")


def _looks_like_a_code(value: object) -> bool:
    return isinstance(value, str) and value not in OTHER_WORDS and _CODE.fullmatch(value) is not None


def _take_call(call: ast.Call, path: str, found: dict[str, Use]) -> None:
    given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    code = given.get("code")
    if not isinstance(code, ast.Constant) or not isinstance(code.value, str):
        return
    use = found.setdefault(code.value, Use())
    use.places.add(f"{path}:{call.lineno}")
    raised = _CLASSES.get(call.func.id) if isinstance(call.func, ast.Name) else None
    if raised is None:
        return
    use.categories.add(raised.category)
    retryable = given.get("retryable")
    if retryable is None:
        use.retryable.add(raised.default_retryable)
    elif isinstance(retryable, ast.Constant):
        use.retryable.add(bool(retryable.value))
    else:
        use.retryable |= {True, False}


def _is_all(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
    )
