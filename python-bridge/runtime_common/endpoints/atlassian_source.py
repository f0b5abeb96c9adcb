"""What opens a site of Atlassian's cloud: the same for issues and pages but for the read itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from runtime_common.endpoints.semantic.operations import TEST_ATTEMPTS, semantic_checks, semantic_preview
from runtime_common.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.endpoints.atlassian import AtlassianConfig
    from runtime_common.endpoints.semantic import SemanticRead
    from runtime_common.http import AddressRules, HttpClient
    from runtime_common.protocols import Check, ReadRequest, Sample


class AtlassianSource(ABC):
    """See :class:`runtime_common.protocols.SourceEndpoint`.

    Attributes:
        cursor_field: The only one that a unit may have.
        things: What is read, for people.
    """

    cursor_field: ClassVar[str]
    things: ClassVar[str]

    def __init__(self, config: AtlassianConfig, rules: AddressRules) -> None:
        self._config = config
        self._rules = rules

    @abstractmethod
    def _read(self, client: HttpClient, host: str, request: ReadRequest, cancellation: Cancellation) -> SemanticRead:
        """Begin a read; the client is closed if that fails."""

    @abstractmethod
    def _who(self, client: HttpClient) -> str:
        """Prove the login, and say what it has shown."""

    def open(self, request: ReadRequest, cancellation: Cancellation) -> SemanticRead:
        """Prove the login, and fix where this read ends.

        Raises:
            SourceError: The site can't be reached, refuses, or fails.
            ConfigurationError: The object is none, or the unit asks for what the site can't give.
        """
        if request.cursor_field not in {None, self.cursor_field}:
            raise ConfigurationError(
                f"{self.things} are read by their last change: set the cursor field to {self.cursor_field!r}",
                field="unit.cursorField",
            )
        with ExitStack() as stack:
            client = stack.enter_context(self._config.client(rules=self._rules, cancellation=cancellation))
            read = self._read(client, urlsplit(self._config.base_url).netloc, request, cancellation)
            stack.pop_all()
        return read

    def checks(self, cancellation: Cancellation) -> Sequence[Check]:
        """Return the steps of the connection test."""

        def authenticate() -> str:
            with self._config.client(rules=self._rules, cancellation=cancellation, attempts=TEST_ATTEMPTS) as client:
                return self._who(client)

        def read() -> str:
            rows = self.preview({}, limit=1, cancellation=cancellation).table.num_rows
            return f"{self.things} were read" if rows else f"the account sees no {self.things} yet"

        return semantic_checks(authenticate, read)

    def preview(self, selected: Mapping[str, Any], *, limit: int, cancellation: Cancellation) -> Sample:
        """Return some of what is there; raises like :meth:`open`."""
        return semantic_preview(self, selected, limit=limit, cancellation=cancellation)
