"""How many requests a caller may make, and when the next one may come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import RateLimited
from shared.resilience import rate_limit
from shared.resilience.rate_limit import RateLimiter
from tests.unit.fakes.clock import FakeClock


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture
def limiter(time) -> RateLimiter:
    return RateLimiter(time.clock)


def _passes(limiter: RateLimiter, caller: str = "a", per_minute: int = 10, limit: str = "chat") -> bool:
    try:
        limiter.check(limit, caller, per_minute)
    except RateLimited:
        return False
    return True


def test_a_minute_of_requests_may_come_at_once(limiter):
    """Ten pass, the eleventh does not."""
    assert [_passes(limiter) for _ in range(11)] == [True] * 10 + [False]


def test_refusal_says_when_to_come_back(limiter, time):
    """The waiting time is in the error, and it is right."""
    for _ in range(10):
        limiter.check("chat", "a", 10)
    with pytest.raises(RateLimited) as raised:
        limiter.check("chat", "a", 10)

    assert raised.value.retry_after == 6
    assert raised.value.detail == "The limit is 10 requests per minute. Try again in 6 s."
    time.advance(6)
    assert [_passes(limiter), _passes(limiter)] == [True, False]


def test_waiting_time_counts_what_has_been_refilled(limiter, time):
    """Half of the way to the next request is behind the caller after three of six seconds."""
    for _ in range(10):
        limiter.check("chat", "a", 10)
    time.advance(3)
    with pytest.raises(RateLimited) as raised:
        limiter.check("chat", "a", 10)

    assert raised.value.retry_after == 3


def test_refused_requests_cost_nothing(limiter, time):
    """Knocking while refused does not push the next chance away."""
    for _ in range(200):
        _passes(limiter)
    time.advance(6)

    assert _passes(limiter)


def test_callers_and_limits_are_counted_apart(limiter):
    """One caller's requests do not count against another, nor one kind against another."""
    for _ in range(10):
        limiter.check("chat", "a", 10)

    assert [_passes(limiter), _passes(limiter, "b"), _passes(limiter, limit="api")] == [False, True, True]


def test_zero_means_no_limit(limiter):
    """Nothing is counted, so that lifting a limit costs no memory."""
    assert all(_passes(limiter, per_minute=0) for _ in range(1000))


def test_quiet_caller_does_not_save_up(limiter, time):
    """An hour of silence buys one minute's worth, not sixty."""
    limiter.check("chat", "a", 10)
    time.advance(3600)

    assert sum(_passes(limiter) for _ in range(100)) == 10


def test_memory_is_bounded_and_forgets_the_quietest(limiter, monkeypatch):
    """Past the bound the caller that was seen least recently starts afresh; the others stay counted."""
    monkeypatch.setattr(rate_limit, "_MAX_CALLERS", 3)
    for caller in "aab":
        _passes(limiter, caller, 2)
    _passes(limiter, "b", 2)
    _passes(limiter, "c", 2)
    assert not _passes(limiter, "a", 2)
    _passes(limiter, "d", 2)

    assert not _passes(limiter, "a", 2)
    assert _passes(limiter, "b", 2)


@given(
    per_minute=st.integers(1, 120),
    waits=st.lists(st.floats(0, 30, allow_subnormal=False), min_size=1, max_size=200),
)
def test_no_window_sees_more_than_the_bucket_and_its_refill(per_minute, waits):
    """Over any stretch of time at most ``per_minute`` plus what was refilled in it passes."""
    time = FakeClock()
    limiter = RateLimiter(time.clock)
    passed = []
    for wait in waits:
        time.advance(wait)
        if _passes(limiter, per_minute=per_minute):
            passed.append(time.seconds)

    for first in range(len(passed)):
        for last in range(first, len(passed)):
            refilled = (passed[last] - passed[first]) * per_minute / 60
            assert last - first + 1 <= per_minute + refilled + 1e-6


@given(per_minute=st.integers(1, 1000), pauses=st.lists(st.floats(0, 5), max_size=30))
def test_waiting_as_told_is_enough(per_minute, pauses):
    """Whatever came before, a caller that waits as long as it was told is let through."""
    time = FakeClock()
    limiter = RateLimiter(time.clock)
    while _passes(limiter, per_minute=per_minute):
        pass
    for pause in pauses:
        time.advance(pause)
        _passes(limiter, per_minute=per_minute)
    try:
        limiter.check("chat", "a", per_minute)
    except RateLimited as refusal:
        time.advance(refusal.retry_after)
        limiter.check("chat", "a", per_minute)
