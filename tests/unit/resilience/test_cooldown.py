"""When a failing upstream is left alone, and when it is asked again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.resilience.cooldown import Cooldown
from tests.unit.fakes.clock import FakeClock


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cooldown(time) -> Cooldown:
    return Cooldown(threshold=3, base_s=15, max_s=120, clock=time.clock)


def test_failures_below_the_threshold_leave_it_closed(cooldown):
    """Two failures in a row are bad luck; they are remembered as the last error."""
    cooldown.failed("unreachable")
    cooldown.failed("malformed")

    assert (cooldown.open, cooldown.last_error) == (False, "malformed")


def test_third_failure_in_a_row_opens_it(cooldown):
    """From the threshold on nobody is let through for the base time."""
    for _ in range(3):
        cooldown.failed("unreachable")

    assert (cooldown.open, cooldown.remaining_s) == (True, 15)


def test_success_in_between_starts_the_count_again(cooldown):
    """Only failures in a row count."""
    for _ in range(2):
        cooldown.failed("unreachable")
        cooldown.failed("unreachable")
        cooldown.succeeded()

    assert (cooldown.open, cooldown.last_error) == (False, None)


def test_it_closes_when_its_time_is_over(cooldown, time):
    """At the end of the pause callers are let through, not a moment before."""
    cooldown.trip("rate_limited", 60)
    time.advance(59.9)
    assert cooldown.open
    time.advance(0.2)

    assert (cooldown.open, cooldown.remaining_s) == (False, 0)


def test_each_failed_trial_doubles_the_pause(cooldown, time):
    """15, 30, 60, 120 and then 120 again."""
    pauses = []
    for _ in range(3):
        cooldown.failed("unreachable")
    for _ in range(5):
        pauses.append(cooldown.remaining_s)
        time.advance(cooldown.remaining_s)
        cooldown.failed("unreachable")

    assert pauses == [15, 30, 60, 120, 120]


def test_successful_trial_resets_it(cooldown, time):
    """After a recovery three failures are needed again."""
    cooldown.trip("rate_limited", 60)
    time.advance(60)
    cooldown.succeeded()
    cooldown.failed("unreachable")
    cooldown.failed("unreachable")

    assert not cooldown.open


def test_first_failure_after_a_trip_opens_it_at_once(cooldown, time):
    """An upstream that asked for a pause and then fails gets another one without two more tries."""
    cooldown.trip("rate_limited", 60)
    time.advance(60)
    cooldown.failed("unreachable")

    assert cooldown.open


def test_straggler_cannot_shorten_the_pause_the_upstream_asked_for(cooldown):
    """A call that was under way when the pause began fails late: the pause stays as long as it was."""
    cooldown.trip("rate_limited", 600)
    cooldown.failed("unreachable")

    assert cooldown.remaining_s == 600


def test_straggling_success_does_not_end_the_pause(cooldown):
    """A call that was under way when the pause began succeeds late: the upstream still wants to be left alone."""
    cooldown.trip("rate_limited", 600)
    cooldown.succeeded()

    assert (cooldown.remaining_s, cooldown.last_error) == (600, "rate_limited")


def test_burst_of_failures_costs_one_pause(cooldown):
    """Eight calls that fail together open it once, for the base time, not for five doublings."""
    for _ in range(8):
        cooldown.failed("unreachable")

    assert cooldown.remaining_s == 15


def test_second_trip_cannot_shorten_the_first(cooldown):
    """Of two pauses that were asked for, the one that ends later counts."""
    cooldown.trip("rate_limited", 600)
    cooldown.trip("rate_limited", 5)

    assert cooldown.remaining_s == 600


STEPS = st.one_of(
    st.tuples(st.just("failed"), st.just(0.0)),
    st.tuples(st.just("succeeded"), st.just(0.0)),
    st.tuples(st.just("trip"), st.floats(0.1, 500)),
    st.tuples(st.just("advance"), st.floats(0, 200)),
)


@given(st.lists(STEPS, max_size=40))
def test_pause_never_ends_early(steps):
    """Whatever happens while it is open, nobody is let through before the announced moment; without a trip a pause is
    between the base and the maximum; three failures in a row always open it."""
    time = FakeClock()
    cooldown = Cooldown(threshold=3, base_s=15, max_s=120, clock=time.clock)
    in_a_row = 0
    for name, amount in steps:
        open_until = time.seconds + cooldown.remaining_s
        match name:
            case "advance":
                time.advance(amount)
            case "trip":
                cooldown.trip("rate_limited", amount)
            case "failed":
                was_open = cooldown.open
                cooldown.failed("unreachable")
                in_a_row += 1
                assert was_open or not cooldown.open or 15 <= cooldown.remaining_s + 1e-6 <= 120 + 1e-5
            case "succeeded":
                cooldown.succeeded()
        in_a_row = in_a_row if name in {"failed", "advance"} else 0
        assert time.seconds + cooldown.remaining_s >= open_until - 1e-6
        assert not (name == "failed" and in_a_row >= 3) or cooldown.open
