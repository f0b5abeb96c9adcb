"""The columns of issues."""

from __future__ import annotations

from runtime_common.endpoints.json_rows import DeclaredField

CURSOR_FIELD = "updated"

COLUMNS = (
    DeclaredField(name="id", path="$.id", type="text", nullable=False),
    DeclaredField(name="key", path="$.key", type="text", nullable=False),
    DeclaredField(name="project_id", path="$.fields.project.id", type="text"),
    DeclaredField(name="project_key", path="$.fields.project.key", type="text"),
    DeclaredField(name="type", path="$.fields.issuetype.name", type="text"),
    DeclaredField(name="status", path="$.fields.status.name", type="text"),
    DeclaredField(name="summary", path="$.fields.summary", type="text"),
    DeclaredField(name="assignee_id", path="$.fields.assignee.accountId", type="text"),
    DeclaredField(name="reporter_id", path="$.fields.reporter.accountId", type="text"),
    DeclaredField(name="parent_id", path="$.fields.parent.id", type="text"),
    DeclaredField(name="created", path="$.fields.created", type="timestamptz"),
    DeclaredField(name="updated", path="$.fields.updated", type="timestamptz", nullable=False),
    DeclaredField(name="fields", path="$.fields", type="json"),
)
