"""Source ``jira``: issues as rows, and issues, projects and people as entities of the knowledge base."""

from runtime_common.endpoints.jira.source import ENDPOINT

__all__ = ["ENDPOINT"]
