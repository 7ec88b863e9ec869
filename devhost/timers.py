"""Runs timer functions on their schedules under the host's rules for missed, overlapping and failing runs."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from devhost.errors import Problem
from devhost.functions import Function, TimerTrigger
from devhost.runtime import Outcome
from devhost.schedules import Schedule, ScheduleError, resolve_schedule
from devhost.timer_status import TimerStatus, TimerStatusFile, status_after_run, status_at_start

_log = logging.getLogger("devhost")
# Long waits are cut so that a laptop's sleep or a changed clock delays a run by a minute at most.
_LONGEST_SLEEP = 60.0

type RunTimer = Callable[[Function, str], Awaitable[Outcome]]


class Clock(Protocol):
    """`now` is aware UTC; `sleep_until` returns no earlier than the moment given."""

    def now(self) -> datetime: ...

    async def sleep_until(self, moment: datetime) -> None: ...


class SystemClock:
    """The wall clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_until(self, moment: datetime) -> None:
        while (left := (moment - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 - time passes without an event
            await asyncio.sleep(min(left, _LONGEST_SLEEP))


@dataclass(frozen=True)
class Timer:
    """A timer function with its resolved schedule."""

    function: Function
    trigger: TimerTrigger
    schedule: Schedule

    @property
    def is_monitored(self) -> bool:
        """The host ignores useMonitor for schedules below a minute."""
        return self.trigger.use_monitor and not self.schedule.is_below_a_minute


def build_timers(functions: Sequence[Function], settings: Mapping[str, str]) -> tuple[list[Timer], list[Problem]]:
    """Timers with usable schedules; every other one is a problem."""
    timers: list[Timer] = []
    problems: list[Problem] = []
    for function in functions:
        if function.timer is None:
            continue
        try:
            timers.append(Timer(function, function.timer, resolve_schedule(function.timer.schedule, settings)))
        except ScheduleError as error:
            problems.append(Problem(function.name, str(error)))
    return timers, problems


def timer_payload(status: TimerStatus | None, is_past_due: bool) -> str:
    """The JSON a timer function receives; no status means no monitor."""
    return json.dumps(
        {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": status.to_json() if status else None,
            "IsPastDue": is_past_due,
        }
    )


class TimerService:
    """One task per timer; a run is awaited before the next occurrence is computed, so a timer never meets itself."""

    def __init__(self, timers: Sequence[Timer], run: RunTimer, statuses: TimerStatusFile, clock: Clock) -> None:
        self._timers = timers
        self._run = run
        self._statuses = statuses
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        for timer in self._timers:
            self._tasks.add(asyncio.create_task(self._keep_schedule(timer), name=f"timer {timer.function.name}"))

    async def stop(self, patience: float) -> None:
        """Cancels waiting and running timers; a run that ignores this is left behind after `patience` seconds."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)

    def payload_for(self, function: Function) -> str:
        """For a run by hand, which leaves the schedule and its status alone."""
        return timer_payload(self._statuses.get(function.name), is_past_due=False)

    async def _keep_schedule(self, timer: Timer) -> None:
        if await self._begin(timer):
            await self._fire(timer, is_past_due=True)
        elif timer.trigger.run_on_startup:
            await self._fire(timer, is_past_due=False)
        while True:
            occurrence = timer.schedule.next_after(self._clock.now())
            await self._clock.sleep_until(occurrence)
            await self._fire(timer, is_past_due=False, occurrence=occurrence)

    async def _begin(self, timer: Timer) -> bool:
        """Records the first status; True when a run was missed while the host was down."""
        if not timer.is_monitored:
            return False
        now = self._clock.now()
        status = status_at_start(self._statuses.get(timer.function.name), timer.schedule, now)
        self._statuses.put(timer.function.name, status)
        return now > status.next

    async def _fire(self, timer: Timer, *, is_past_due: bool, occurrence: datetime | None = None) -> None:
        name = timer.function.name
        status = self._statuses.get(name) if timer.is_monitored else None
        run_at = occurrence or self._clock.now()
        outcome = await self._run(timer.function, timer_payload(status, is_past_due))
        if not outcome.ok:
            _log.error("timer %r failed: %s\n%s", name, outcome.error, outcome.trace)
        if timer.is_monitored:
            self._statuses.put(name, status_after_run(timer.schedule, run_at))
