"""A producer a few items ahead of its consumer: order, bounds, failures, and every way to end."""

from __future__ import annotations

import threading

import pytest

from runtime_common.cancellation import Cancellation
from runtime_common.exceptions import RunCancelledError
from runtime_common.read_ahead import ReadAhead

LONG = 60.0


class Producer:
    """Makes numbers; after ``until`` of them it blocks until it is interrupted."""

    def __init__(self, until=10**6, failure=None):
        self.until = until
        self.failure = failure
        self.made = 0
        self.closed = threading.Event()
        self.interrupted = threading.Event()
        self.progress = threading.Condition()

    def produce(self):
        try:
            while self.made < self.until:
                with self.progress:
                    self.made += 1
                    self.progress.notify_all()
                yield self.made
            if self.failure is not None:
                raise self.failure
            self.interrupted.wait(LONG)
        finally:
            self.closed.set()

    def await_made(self, count):
        with self.progress:
            assert self.progress.wait_for(lambda: self.made >= count, LONG)

    def ahead(self, stall_seconds=LONG, depth=2):
        return ReadAhead(self.produce, depth=depth, stall_seconds=stall_seconds, interrupt=self.interrupted.set)


def test_items_come_in_order_and_then_the_end():
    ahead = ReadAhead(lambda: (one for one in range(100)), depth=2, stall_seconds=LONG, interrupt=lambda: None)
    assert list(ahead.items(Cancellation())) == list(range(100))


def test_the_producer_works_ahead_and_no_further_than_its_depth():
    producer = Producer()
    items = producer.ahead(depth=2).items(Cancellation())
    assert next(items) == 1
    # Two wait, and the third is made before it finds no room.
    producer.await_made(4)
    assert next(items) == 2
    producer.await_made(5)
    assert producer.made == 5
    items.close()
    assert producer.closed.is_set()


def test_a_failure_comes_after_the_items_before_it():
    items = Producer(until=2, failure=ValueError("broken")).ahead().items(Cancellation())
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(items)


def test_a_producer_that_stands_still_is_interrupted():
    producer = Producer(until=1)
    items = producer.ahead(stall_seconds=0.05).items(Cancellation())
    assert next(items) == 1
    with pytest.raises(TimeoutError):
        next(items)
    assert producer.closed.is_set()


def test_a_consumer_that_leaves_ends_the_producer():
    producer = Producer(until=1)
    items = producer.ahead().items(Cancellation())
    next(items)
    items.close()
    assert producer.interrupted.is_set()
    assert producer.closed.is_set()


def test_a_cancellation_wakes_a_consumer_that_waits():
    producer = Producer(until=1)
    cancellation = Cancellation()
    items = producer.ahead().items(cancellation)
    next(items)
    threading.Timer(0.05, cancellation.cancel).start()
    with pytest.raises(RunCancelledError):
        next(items)
    assert producer.closed.is_set()


def test_a_producer_that_no_interrupt_reaches_is_left_behind(monkeypatch):
    monkeypatch.setattr("runtime_common.read_ahead._FAREWELL_SECONDS", 0.05)
    release = threading.Event()

    def deaf():
        yield 1
        release.wait(LONG)

    def never():
        release.wait(LONG)

    ahead = ReadAhead(deaf, depth=1, stall_seconds=0.05, interrupt=never)
    items = ahead.items(Cancellation())
    next(items)
    with pytest.raises(TimeoutError):
        next(items)
    release.set()
