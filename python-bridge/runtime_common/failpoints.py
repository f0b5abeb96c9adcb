"""Named places where a test may end or stop the process, to prove what survives.

``NUCLEUS_FAILPOINTS`` lists, comma-separated, ``name`` (end the process at once), ``name@3`` (not before the third time
that it comes there) and ``name=stop`` (stop it as SIGSTOP does: a zombie, once it is continued). It is honoured only
when ``NUCLEUS_TEST_FIXTURES=1`` is set too; a production start that finds it alone is refused.
"""

from __future__ import annotations

import os
import re
import signal
from collections import Counter

from runtime_common.exceptions import ConfigurationError

EXIT_CODE = 86
_ARMED = re.compile(r"(?P<name>[a-z.-]+)(@(?P<time>[0-9]+))?(?P<stop>=stop)?")
_passed: Counter[str] = Counter()


def refuse_in_production() -> None:
    """Check the variables once, at process start.

    Raises:
        ConfigurationError: Failpoints are set in a process that is no test fixture.
    """
    if os.environ.get("NUCLEUS_FAILPOINTS") and os.environ.get("NUCLEUS_TEST_FIXTURES") != "1":
        raise ConfigurationError("NUCLEUS_FAILPOINTS is set but this is no test fixture; unset it")


def failpoint(name: str) -> None:
    """End or stop the process, without any clean-up, when ``name`` is armed."""
    armed = os.environ.get("NUCLEUS_FAILPOINTS")
    if not armed or os.environ.get("NUCLEUS_TEST_FIXTURES") != "1":
        return
    _passed[name] += 1
    for one in armed.split(","):
        match = _ARMED.fullmatch(one)
        if match is None or match["name"] != name or _passed[name] != int(match["time"] or 1):
            continue
        if match["stop"]:
            os.kill(os.getpid(), signal.SIGSTOP)
        else:
            os._exit(EXIT_CODE)
