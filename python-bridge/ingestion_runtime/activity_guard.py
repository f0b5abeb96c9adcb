"""What every activity on a thread needs: heartbeats, a cancellation that waits for a good place, typed failures."""

from __future__ import annotations

import contextvars
import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, CancelledError

from runtime_common.cancellation import Cancellation
from runtime_common.exceptions import IngestionError, InternalError, RunCancelledError
from runtime_common.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runtime_common.contracts import ContractModel

HEARTBEAT_SECONDS = 1.0
_log = logging.getLogger(__name__)


def guarded(work: Callable[[Cancellation], ContractModel]) -> dict[str, Any]:
    """Do the work of an activity and return its result on the wire.

    Args:
        work: Sends its :func:`heartbeats` itself, since only it knows what to tell, and stops when the cancellation
            that it is given asks for it.

    Raises:
        ApplicationError: Its type is the failure's code, its first detail ``ingestionFailureSchema``.
        CancelledError: The work was cancelled.
    """
    # The SDK would throw its cancellation into this thread at any bytecode, also inside a commit. The heart-beat
    # thread notices it instead, and the work stops at a place of its own choice.
    with activity.shield_thread_cancel_exception():
        outcome = _outcome(work)
    if isinstance(outcome, dict):
        return outcome
    # Raised here, outside of any except block, so that no cause with foreign text travels along.
    raise outcome


@contextmanager
def heartbeats(details: Callable[[], object], cancellation: Cancellation) -> Iterator[None]:
    """Send heartbeats from a side thread and pass a cancellation on to the work.

    They go on after that: a run may still be inside a commit, and an attempt that falls silent there would time out
    and be started a second time beside the first.

    Args:
        details: Returns what each heartbeat tells, as JSON; called from the side thread.
        cancellation: Of the work.
    """
    done = threading.Event()

    def beat() -> None:
        while not done.is_set():
            activity.heartbeat(details())
            if activity.is_cancelled() and not cancellation.requested:
                reason = activity.cancellation_details()
                if reason is not None and reason.cancel_requested:
                    cancellation.cancel()
                else:
                    # Shutdown of this worker, or the server gave this attempt up: somebody else goes on.
                    cancellation.interrupt()
            done.wait(HEARTBEAT_SECONDS)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(beat,), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _outcome(work: Callable[[Cancellation], ContractModel]) -> dict[str, Any] | Exception:
    try:
        return work(Cancellation()).to_wire()
    except RunCancelledError:
        return CancelledError("the run was cancelled")
    except IngestionError as error:
        return _failure(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the activity must end with a typed failure
        _log.exception("an activity failed by a fault of the data plane")
        return _failure(InternalError(f"unexpected {type(error).__name__}: {error}"))


def _failure(error: IngestionError) -> ApplicationError:
    detail = error.as_detail() | {"message": redact(error.message)}
    return ApplicationError(str(detail["message"]), detail, type=error.code, non_retryable=not error.retryable)
