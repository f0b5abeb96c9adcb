"""Source ``onedrive``: files of a drive as rows, and files and people as entities of the knowledge base."""

from runtime_common.endpoints.onedrive.source import ENDPOINT

__all__ = ["ENDPOINT"]
