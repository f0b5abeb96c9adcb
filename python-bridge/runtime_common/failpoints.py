"""Named places where a test may kill the process, to prove what survives.

``NUCLEUS_FAILPOINTS`` lists the names to die at, comma-separated. It is honoured only when
``NUCLEUS_TEST_FIXTURES=1`` is set too; a production start that finds it alone is refused.
"""

from __future__ import annotations

import os

from runtime_common.exceptions import ConfigurationError

EXIT_CODE = 86


def refuse_in_production() -> None:
    """Check the variables once, at process start.

    Raises:
        ConfigurationError: Failpoints are set in a process that is no test fixture.
    """
    if os.environ.get("NUCLEUS_FAILPOINTS") and os.environ.get("NUCLEUS_TEST_FIXTURES") != "1":
        raise ConfigurationError("NUCLEUS_FAILPOINTS is set but this is no test fixture; unset it")


def failpoint(name: str) -> None:
    """End the process at once, without any clean-up, when ``name`` is armed."""
    armed = os.environ.get("NUCLEUS_FAILPOINTS")
    if armed and os.environ.get("NUCLEUS_TEST_FIXTURES") == "1" and name in armed.split(","):
        os._exit(EXIT_CODE)
