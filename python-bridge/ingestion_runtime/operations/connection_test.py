"""Runs the steps of an endpoint's connection test and says how each ended."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from ingestion_runtime.operations.patience import call_with_patience
from runtime_common.contracts import CheckOutcome, CheckStep, TestEndpointResult
from runtime_common.exceptions import IngestionError, InternalError
from runtime_common.protocols import Check, Testable
from runtime_common.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime_common.cancellation import Cancellation
    from runtime_common.contracts import TestEndpointInput
    from runtime_common.endpoints import EndpointFactory

CONFIG_STEP = CheckStep(name="config", title="Read the config and open its secrets")
"""The worker's own first step: a config that can't be used fails here, and all steps of the endpoint are skipped."""

_log = logging.getLogger(__name__)


def run_connection_test(
    request: TestEndpointInput, *, factory: EndpointFactory, cancellation: Cancellation
) -> TestEndpointResult:
    """Run ``config`` and then the steps that the endpoint's descriptor lists, in its order.

    A step is skipped unless all steps that it needs have passed. An endpoint without steps of its own is told by
    ``config`` alone.

    Raises:
        RunCancelledError: The test was cancelled.
        InterruptedRunError: The worker is shutting down.
        InternalError: The endpoint's steps are not those of its descriptor.
    """
    test = _ConnectionTest(cancellation)
    steps: Sequence[CheckStep] = ()
    checks: Sequence[Check] = ()

    def configure() -> str:
        nonlocal steps, checks
        descriptor = factory.descriptor(request.endpoint, request.role)
        steps = descriptor.checks
        endpoint = factory.endpoint(request.endpoint, request.role)
        if not steps:
            return f"the config is sound; {descriptor.title} has no further steps, so whether it answers is not known"
        checks = endpoint.checks(cancellation) if isinstance(endpoint, Testable) else ()
        return "the config is sound"

    test.run(CONFIG_STEP, configure)
    if not test.passed:
        for step in steps:
            test.skip(step, because=CONFIG_STEP.name)
        return test.result()
    if [check.name for check in checks] != [step.name for step in steps]:
        raise InternalError(
            f"the steps of {request.endpoint.template_id!r} are not those of its descriptor; report it to its maker"
        )
    for step, check in zip(steps, checks, strict=True):
        missing = next((name for name in check.needs if name not in test.passed_steps), None)
        if missing is None:
            test.run(step, check.run)
        else:
            test.skip(step, because=missing)
    return test.result()


class _ConnectionTest:
    """The outcomes so far."""

    def __init__(self, cancellation: Cancellation) -> None:
        self._cancellation = cancellation
        self._outcomes: list[CheckOutcome] = []
        self.passed_steps: set[str] = set()

    @property
    def passed(self) -> bool:
        return len(self.passed_steps) == len(self._outcomes)

    def result(self) -> TestEndpointResult:
        return TestEndpointResult(passed=self.passed, checks=self._outcomes)

    def skip(self, step: CheckStep, *, because: str) -> None:
        self._outcomes.append(
            CheckOutcome(
                name=step.name,
                title=step.title,
                status="skipped",
                code=None,
                message=f"skipped, since it needs {because!r}",
                field=None,
                duration_ms=0,
            )
        )

    def run(self, step: CheckStep, check: Callable[[], str]) -> None:
        self._cancellation.check()
        failure: IngestionError | None = None
        message = ""
        began = time.monotonic()
        try:
            message = call_with_patience(check, self._cancellation)
        except IngestionError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises is a finding about the endpoint
            self._cancellation.check()
            _log.exception("a step of a connection test failed by a fault of the endpoint")
            failure = InternalError(f"unexpected {type(error).__name__}; the worker's log holds the cause")
        # What a step makes of a cancellation is no finding about the endpoint.
        self._cancellation.check()
        duration_ms = round((time.monotonic() - began) * 1000)
        if failure is None:
            self.passed_steps.add(step.name)
        self._outcomes.append(
            CheckOutcome(
                name=step.name,
                title=step.title,
                status="passed" if failure is None else "failed",
                code=None if failure is None else failure.code,
                message=redact(message if failure is None else failure.message),
                field=None if failure is None else failure.field,
                duration_ms=duration_ms,
            )
        )
