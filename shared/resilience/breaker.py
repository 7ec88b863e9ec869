"""Stops asking a dependency that mostly fails, and finds out with single calls when it is back."""

from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from shared.clock import SYSTEM_CLOCK, Clock

Outcome = Literal["ok", "fail", "ignore"]
State = Literal["closed", "open", "half_open"]


class BreakerOpen(Exception):
    """The call was not let through; ``retry_after`` seconds until one may be."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"not asked for another {retry_after:.1f} s")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Permit:
    """One admitted call; give it back with ``done``."""

    number: int
    generation: int
    started: float


@dataclass(slots=True)
class Breaker:
    """Opens when ``failure_rate`` of the calls that ended within ``window_s``, of the ``last`` ones at most, failed.

    It does not judge fewer than ``min_calls``. It stays open for ``open_s``, doubled for every probe that fails, up to
    ``max_open_s``; then one probe at a time decides. A probe that has not come back after ``probe_lease_s`` is given
    up, and another is let through. A success slower than ``slow_s`` counts as a failure. ``ignore`` is for outcomes
    that say nothing of the dependency: cancelled calls, the caller's own mistakes. Whatever is reported for a call
    that began before the last change of state is dropped.

    The limit in calls beside the one in time keeps a busy caller from having to fail as often as it had succeeded.
    For one event loop: there is no lock.
    """

    window_s: float = 10.0
    last: int = 100
    min_calls: int = 5
    failure_rate: float = 0.5
    open_s: float = 30.0
    max_open_s: float = 300.0
    probe_lease_s: float = 60.0
    slow_s: float | None = None
    clock: Clock = SYSTEM_CLOCK
    opened: int = field(default=0, init=False)
    _state: State = field(default="closed", init=False)
    _generation: int = field(default=0, init=False)
    _trips: int = field(default=0, init=False)
    _until: float = field(default=0.0, init=False)
    _probe: Permit | None = field(default=None, init=False)
    _outcomes: deque[tuple[float, bool]] = field(init=False)
    _numbers: "count[int]" = field(default_factory=count, init=False)

    def __post_init__(self) -> None:
        self._outcomes = deque(maxlen=self.last)

    @property
    def state(self) -> State:
        return self._state

    @property
    def remaining_s(self) -> float:
        """Seconds until a call may be let through; 0 when one may be now."""
        now = self.clock.monotonic()
        if self._state == "open":
            return max(0.0, self._until - now)
        if self._state == "half_open" and self._probe is not None:
            return max(0.0, self._probe.started + self.probe_lease_s - now)
        return 0.0

    def acquire(self) -> Permit:
        """Raises ``BreakerOpen``."""
        remaining = self.remaining_s
        if remaining > 0:
            raise BreakerOpen(remaining)
        if self._state == "open":
            self._enter("half_open")
        permit = Permit(next(self._numbers), self._generation, self.clock.monotonic())
        if self._state == "half_open":
            self._probe = permit
        return permit

    def done(self, permit: Permit, outcome: Outcome) -> None:
        """Report how an admitted call ended; a second report for the same permit is the caller's mistake."""
        if permit.generation != self._generation:
            return
        now = self.clock.monotonic()
        too_slow = self.slow_s is not None and now - permit.started > self.slow_s
        failed = outcome == "fail" or (outcome == "ok" and too_slow)
        if self._state == "half_open":
            self._decide(permit, outcome, failed=failed)
        elif outcome != "ignore":
            self._outcomes.append((now, failed))
            if failed and self._failing(now):
                self._open()

    def trip(self, seconds: float) -> None:
        """Open at once, for ``seconds``: the dependency said something that will not change soon."""
        until = max(self._until, self.clock.monotonic() + seconds)
        self._trips = 0
        self._enter("open")
        self._until = until

    def _decide(self, permit: Permit, outcome: Outcome, *, failed: bool) -> None:
        if permit is not self._probe:
            return
        self._probe = None
        if failed:
            self._open()
        elif outcome == "ok":
            self._trips = 0
            self._enter("closed")

    def _failing(self, now: float) -> bool:
        while self._outcomes[0][0] <= now - self.window_s:
            self._outcomes.popleft()
        failures = sum(failed for _, failed in self._outcomes)
        return len(self._outcomes) >= self.min_calls and failures >= self.failure_rate * len(self._outcomes)

    def _open(self) -> None:
        self._enter("open")
        self._until = self.clock.monotonic() + min(self.open_s * 2 ** min(self._trips, 20), self.max_open_s)
        self._trips += 1

    def _enter(self, state: State) -> None:
        self._state = state
        self._generation += 1
        self._probe = None
        self._outcomes.clear()
        if state == "open":
            self.opened += 1
