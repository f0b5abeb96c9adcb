"""Source ``confluence``: pages as rows, and pages, spaces and people as entities of the knowledge base."""

from runtime_common.endpoints.confluence.source import ENDPOINT

__all__ = ["ENDPOINT"]
