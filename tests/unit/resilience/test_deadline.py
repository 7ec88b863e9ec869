"""One deadline per request, handed down."""

import asyncio

import pytest

from shared.resilience.deadline import Deadline
from tests.unit.fakes.clock import FakeClock


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


def test_remaining_time_shrinks_and_is_never_negative(time):
    """What is left follows the clock down to zero."""
    deadline = Deadline.after(10, time.clock)
    left = []
    for step in (0, 4, 6, 5):
        time.advance(step)
        left.append((deadline.remaining(), deadline.expired))

    assert left == [(10, False), (6, False), (0, True), (0, True)]


def test_tighter_deadline_is_the_earlier_one(time):
    """A part gets its own limit or what is left of the whole, whichever is less."""
    deadline = Deadline.after(10, time.clock)

    assert deadline.within(3).remaining() == 3
    assert deadline.within(30).remaining() == 10
    time.advance(8)
    assert deadline.within(3).remaining() == 2


async def test_body_is_interrupted_when_the_time_is_over(time):
    """Waiting for ever ends with TimeoutError."""
    deadline = Deadline.after(0.01, time.clock)

    with pytest.raises(TimeoutError):
        async with deadline.enforce():
            await asyncio.Event().wait()


async def test_expired_deadline_interrupts_the_first_wait(time):
    """With nothing left, the body gets no further than its first wait."""
    reached = []
    with pytest.raises(TimeoutError):
        async with Deadline.after(0, time.clock).enforce():
            reached.append("body")
            await asyncio.sleep(60)
            reached.append("end")

    assert reached == ["body"]


async def test_body_that_is_quick_is_left_alone(time):
    """A deadline that is not reached has no effect."""
    async with Deadline.after(30, time.clock).enforce():
        await asyncio.sleep(0)
