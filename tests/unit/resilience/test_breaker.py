"""The breaker opens when calls mostly fail, asks with one call at a time, and never stays open for ever."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from shared.resilience.breaker import Breaker, BreakerOpen, Permit
from tests.unit.fakes.clock import FakeClock

OPEN_S, MAX_OPEN_S, LEASE_S = 30.0, 300.0, 60.0


class NaiveBreaker:
    """Counts failures in a row, as breakers in tutorials do; anything but a success is a failure."""

    def __init__(self, clock) -> None:
        self._clock = clock
        self._failures = 0
        self._opened_at = -1e9

    def acquire(self) -> None:
        if self._failures >= 5 and self._clock.monotonic() - self._opened_at < OPEN_S:
            raise BreakerOpen(1)

    def done(self, permit: None, outcome: str) -> None:
        self._failures = 0 if outcome == "ok" else self._failures + 1
        if self._failures >= 5:
            self._opened_at = self._clock.monotonic()


class BreakerMachine(RuleBasedStateMachine):
    """Calls start and end in any order while time passes; see the rules for what must hold."""

    def make(self, clock):
        return Breaker(open_s=OPEN_S, max_open_s=MAX_OPEN_S, probe_lease_s=LEASE_S, clock=clock)

    @initialize()
    def start(self) -> None:
        self.time = FakeClock()
        self.breaker = self.make(self.time.clock)
        self.under_way: list = []
        self.longest = 0.0

    def admitted(self) -> bool:
        try:
            self.under_way.append(self.breaker.acquire())
        except BreakerOpen as refused:
            self.longest = max(self.longest, refused.retry_after)
            return False
        return True

    def end(self, outcome: str, index: int = -1) -> None:
        self.breaker.done(self.under_way.pop(index), outcome)

    @rule(seconds=st.sampled_from([0.1, 1, 9, 29.9, 30.1, 61, 301]))
    def time_passes(self, seconds: float) -> None:
        self.time.advance(seconds)

    @rule()
    def call_starts(self) -> None:
        self.admitted()

    @rule(data=st.data(), outcome=st.sampled_from(["ok", "fail", "ignore"]))
    def call_ends(self, data, outcome: str) -> None:
        if self.under_way:
            self.end(outcome, data.draw(st.integers(0, len(self.under_way) - 1)))

    @rule(callers=st.integers(5, 40))
    def outage_then_herd(self, callers: int) -> None:
        """A dead dependency is noticed, is left alone, and then gets one call, however many want to."""
        self.under_way.clear()
        self.time.advance(1000)
        for _ in range(200):
            if not self.admitted():
                break
            self.end("fail")
        else:
            raise AssertionError("200 failures in a row did not open it")
        assert not self.admitted()
        self.time.advance(MAX_OPEN_S + 1)
        assert sum(self.admitted() for _ in range(callers)) == 1

    @rule()
    def mostly_failing(self) -> None:
        """Three failures and one success, over and over, is an outage too."""
        self.under_way.clear()
        self.time.advance(1000)
        for number in range(200):
            if not self.admitted():
                return
            self.end("ok" if number % 4 == 3 else "fail")
        raise AssertionError("75 % failures did not open it")

    @rule()
    def callers_mistakes(self) -> None:
        """What says nothing of the dependency never opens it."""
        self.under_way.clear()
        self.time.advance(1000)
        for _ in range(50):
            assert self.admitted(), "a caller's own mistake opened it"
            self.end("ignore")

    @rule(stragglers=st.integers(1, 5))
    def stragglers(self, stragglers: int) -> None:
        """Successes of calls from before the outage do not close it."""
        self.under_way.clear()
        self.time.advance(1000)
        if self.admitted():
            self.end("ok")
        old = [self.under_way.pop() for _ in range(stragglers) if self.admitted()]
        for _ in range(200):
            if not self.admitted():
                break
            self.end("fail")
        for permit in old:
            self.breaker.done(permit, "ok")
        assert not self.admitted(), "a straggler closed it"

    @invariant()
    def never_stuck(self) -> None:
        """Whatever is under way or lost, time alone lets a call through again."""
        if hasattr(self, "breaker"):
            assert self.longest < max(MAX_OPEN_S, LEASE_S) + 0.001
            assert getattr(self.breaker, "remaining_s", 0) < max(MAX_OPEN_S, LEASE_S) + 0.001


class NaiveMachine(BreakerMachine):
    def make(self, clock):
        return NaiveBreaker(clock)


BUDGET = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_breaker_as_a_state_machine():
    """All rules hold, in whatever order."""
    run_state_machine_as_test(BreakerMachine, settings=BUDGET)


def test_state_machine_finds_the_faults_of_a_naive_breaker():
    """The same rules refute a counter of failures in a row: they are able to fail."""
    with pytest.raises((AssertionError, ExceptionGroup)):
        run_state_machine_as_test(NaiveMachine, settings=settings(BUDGET, database=None, print_blob=False))


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


def call(breaker: Breaker, outcome: str) -> None:
    breaker.done(breaker.acquire(), outcome)


def break_it(breaker: Breaker) -> None:
    for _ in range(breaker.min_calls):
        call(breaker, "fail")
    assert breaker.state == "open"


def test_few_calls_are_not_judged(time):
    """Four failures are no rate; the fifth call makes one."""
    breaker = Breaker(min_calls=5, clock=time.clock)

    for _ in range(4):
        call(breaker, "fail")
        assert breaker.state == "closed"
    call(breaker, "fail")

    assert breaker.state == "open"


def test_old_failures_do_not_count(time):
    """What ended before the window is forgotten."""
    breaker = Breaker(window_s=10, min_calls=5, clock=time.clock)

    for _ in range(20):
        call(breaker, "fail")
        time.advance(3)

    assert breaker.state == "closed"


def test_success_of_long_ago_does_not_hide_an_outage(time):
    """A busy caller need not fail ten thousand times because ten thousand calls went well a second ago."""
    breaker = Breaker(last=20, clock=time.clock)
    for _ in range(10_000):
        call(breaker, "ok")

    for _ in range(10):
        call(breaker, "fail")

    assert breaker.state == "open"


def test_below_the_rate_it_stays_closed(time):
    """Every third call fails, for ever."""
    breaker = Breaker(failure_rate=0.5, clock=time.clock)

    for number in range(1000):
        call(breaker, "fail" if number % 3 == 0 else "ok")

    assert breaker.state == "closed"


def test_slow_success_is_a_failure_where_asked(time):
    """With ``slow_s`` a success that took longer counts against the dependency; without, it does not."""
    for slow_s, state in ((0.2, "open"), (None, "closed")):
        breaker = Breaker(slow_s=slow_s, clock=time.clock)
        for _ in range(5):
            permit = breaker.acquire()
            time.advance(0.3)
            breaker.done(permit, "ok")
        assert breaker.state == state


def test_pause_doubles_up_to_its_limit_and_starts_again(time):
    """30, 60, 120, 240, 300, 300 s for probes that fail; after a success 30 s again."""
    breaker = Breaker(open_s=30, max_open_s=300, clock=time.clock)
    break_it(breaker)

    pauses = []
    for _ in range(6):
        pauses.append(breaker.remaining_s)
        time.advance(pauses[-1])
        call(breaker, "fail")
    assert pauses == [30, 60, 120, 240, 300, 300]

    time.advance(300)
    call(breaker, "ok")
    assert breaker.state == "closed"
    break_it(breaker)
    assert breaker.remaining_s == 30


def test_lost_probe_is_replaced(time):
    """A probe that never comes back blocks for its lease only, and decides nothing when it does come."""
    breaker = Breaker(open_s=30, probe_lease_s=60, clock=time.clock)
    break_it(breaker)
    time.advance(30)
    lost = breaker.acquire()

    time.advance(59)
    with pytest.raises(BreakerOpen) as refused:
        breaker.acquire()
    assert refused.value.retry_after == pytest.approx(1)
    time.advance(1)
    probe = breaker.acquire()
    breaker.done(lost, "ok")
    assert breaker.state == "half_open"
    breaker.done(probe, "ok")
    assert breaker.state == "closed"


def test_ignored_probe_makes_room_for_the_next(time):
    """A probe that was cancelled has found out nothing."""
    breaker = Breaker(open_s=30, clock=time.clock)
    break_it(breaker)
    time.advance(30)

    call(breaker, "ignore")
    assert breaker.state == "half_open"
    call(breaker, "ok")
    assert breaker.state == "closed"


def test_stragglers_change_nothing(time):
    """Calls from before the outage neither prolong the pause when they fail, nor count once it is over."""
    breaker = Breaker(open_s=30, min_calls=5, clock=time.clock)
    old = [breaker.acquire() for _ in range(20)]
    break_it(breaker)

    time.advance(10)
    for permit in old[:10]:
        breaker.done(permit, "fail")
    assert breaker.remaining_s == 20
    time.advance(20)
    call(breaker, "ok")
    for permit in old[10:]:
        breaker.done(permit, "fail")

    assert (breaker.state, breaker.opened) == ("closed", 1)


def test_ignored_calls_do_not_count_as_successes(time):
    """Fifty cancelled calls do not hide five failures."""
    breaker = Breaker(min_calls=5, clock=time.clock)
    for _ in range(50):
        call(breaker, "ignore")

    break_it(breaker)


def test_trip_opens_at_once_for_its_time(time):
    """What will not change soon is not tried soon; a shorter trip does not shorten a longer one."""
    breaker = Breaker(open_s=1, clock=time.clock)

    breaker.trip(60)
    breaker.trip(5)

    assert breaker.remaining_s == 60
    time.advance(60)
    call(breaker, "ok")
    assert breaker.state == "closed"


def test_permit_is_a_value(time):
    """A permit says when its call began and in which state of the breaker."""
    breaker = Breaker(clock=time.clock)

    assert breaker.acquire() == Permit(0, 0, time.seconds)
