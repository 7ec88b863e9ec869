"""The timer rules, with a clock that tests move."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devhost.functions import Function, TimerTrigger
from devhost.runtime import Outcome
from devhost.timer_status import TimerStatus, TimerStatusFile, status_at_start
from devhost.timers import TimerService, build_timers, timer_payload

START = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
HOURLY = "0 0 * * * *"


class ManualClock:
    """Time passes only by `advance`, which returns once the timers have nothing left to do."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._sleepers: list[tuple[datetime, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep_until(self, moment: datetime) -> None:
        event = asyncio.Event()
        self._sleepers.append((moment, event))
        if moment <= self._now:
            event.set()
        await event.wait()

    async def advance(self, **time: float) -> None:
        await settle()
        self._now += timedelta(**time)
        for moment, event in self._sleepers:
            if moment <= self._now:
                event.set()
        await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Runs:
    """Records the payloads of runs; `behaviour` may fail or wait."""

    def __init__(self, behaviour: Callable[[], Awaitable[Outcome]] | None = None) -> None:
        self.payloads: list[dict[str, object]] = []
        self._behaviour = behaviour

    async def __call__(self, function: Function, payload: str) -> Outcome:
        self.payloads.append(json.loads(payload))
        return await self._behaviour() if self._behaviour else Outcome()


def timer(schedule: str = HOURLY, *, on_startup: bool = False, monitor: bool = True) -> Function:
    return Function(
        "tick", "tick", "timerTrigger", "t", is_async=True, timer=TimerTrigger(schedule, on_startup, monitor)
    )


def service(function: Function, runs: Runs, clock: ManualClock, path: Path) -> TimerService:
    timers, problems = build_timers([function], {})
    assert problems == []
    return TimerService(timers, runs, TimerStatusFile(path / "data" / "timers.json"), clock)


async def test_a_first_run_waits_for_its_occurrence(tmp_path: Path) -> None:
    """A new timer fires at its next occurrence, not at start, and its status says it never ran."""
    runs, clock = Runs(), ManualClock()
    timers = service(timer(), runs, clock, tmp_path)
    timers.start()
    await settle()
    assert runs.payloads == []
    await clock.advance(minutes=59, seconds=30)
    await timers.stop(1)
    status = {
        "Last": "0001-01-01T00:00:00",
        "Next": "2026-01-01T13:00:00+00:00",
        "LastUpdated": "2026-01-01T12:00:30+00:00",
    }
    assert [{"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": False}] == runs.payloads


async def test_a_run_missed_while_down_is_past_due(tmp_path: Path) -> None:
    """After a restart that skipped an occurrence the timer fires at once with IsPastDue, then keeps its schedule."""
    clock, before, after = ManualClock(), Runs(), Runs()
    first = service(timer(), before, clock, tmp_path)
    first.start()
    await clock.advance(hours=1)
    await first.stop(1)
    await clock.advance(hours=3)
    second = service(timer(), after, clock, tmp_path)
    second.start()
    await settle()
    await clock.advance(hours=1)
    await second.stop(1)
    assert [each["IsPastDue"] for each in before.payloads] == [False]
    assert [each["IsPastDue"] for each in after.payloads] == [True, False]


async def test_past_due_comes_before_run_on_startup(tmp_path: Path) -> None:
    """A missed run and runOnStartup make one run at start, and that is past due."""
    clock, runs = ManualClock(), Runs()
    first = service(timer(), Runs(), clock, tmp_path)
    first.start()
    await settle()
    await first.stop(1)
    await clock.advance(hours=2)
    second = service(timer(on_startup=True), runs, clock, tmp_path)
    second.start()
    await settle()
    await second.stop(1)
    assert [each["IsPastDue"] for each in runs.payloads] == [True]


async def test_without_monitor_nothing_is_remembered(tmp_path: Path) -> None:
    """useMonitor false means no status in the payload and no file, even after runs."""
    runs, clock = Runs(), ManualClock()
    timers = service(timer(monitor=False, on_startup=True), runs, clock, tmp_path)
    timers.start()
    await clock.advance(hours=1)
    await timers.stop(1)
    assert [each["ScheduleStatus"] for each in runs.payloads] == [None, None]
    assert not (tmp_path / "data").exists()


async def test_a_schedule_below_a_minute_has_no_monitor(tmp_path: Path) -> None:
    """The host ignores useMonitor for a schedule that fires several times a minute."""
    runs, clock = Runs(), ManualClock()
    timers = service(timer("*/5 * * * * *"), runs, clock, tmp_path)
    timers.start()
    await settle()
    await clock.advance(seconds=5)
    await timers.stop(1)
    assert [each["ScheduleStatus"] for each in runs.payloads] == [None]


async def test_a_timer_never_meets_itself(tmp_path: Path) -> None:
    """While a run lasts, occurrences pass; the next one is counted from its end."""
    gate = asyncio.Event()

    async def wait() -> Outcome:
        await gate.wait()
        return Outcome()

    runs, clock = Runs(wait), ManualClock()
    timers = service(timer(), runs, clock, tmp_path)
    timers.start()
    await settle()
    await clock.advance(hours=1)
    await clock.advance(hours=1)
    await clock.advance(hours=1)
    assert len(runs.payloads) == 1
    gate.set()
    await settle()
    assert len(runs.payloads) == 1
    await clock.advance(hours=1)
    await timers.stop(1)
    assert len(runs.payloads) == 2


async def test_a_failing_run_is_logged_and_the_schedule_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Errors never stop a schedule."""

    async def fail() -> Outcome:
        return Outcome("ValueError: no", "trace of it")

    runs, clock = Runs(fail), ManualClock()
    timers = service(timer(), runs, clock, tmp_path)
    timers.start()
    await settle()
    with caplog.at_level(logging.ERROR):
        await clock.advance(hours=1)
        await clock.advance(hours=1)
    await timers.stop(1)
    assert len(runs.payloads) == 2
    assert "timer 'tick' failed: ValueError: no\ntrace of it" in caplog.text


async def test_stop_cancels_a_running_timer(tmp_path: Path) -> None:
    """A run in progress is cancelled at stop, so that its clean-up happens."""
    cleaned = asyncio.Event()

    async def work() -> Outcome:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()
        return Outcome()

    timers = service(timer(on_startup=True), Runs(work), ManualClock(), tmp_path)
    timers.start()
    await settle()
    await timers.stop(1)
    assert cleaned.is_set()


def test_a_changed_schedule_is_not_past_due() -> None:
    """When the schedule was edited while the host was down, the next run is counted from now."""
    timers, _ = build_timers([timer("0 30 * * * *")], {})
    known = TimerStatus(last=START - timedelta(hours=5), next=START - timedelta(hours=4, minutes=30), updated=START)
    status = status_at_start(known, timers[0].schedule, START)
    assert datetime(2026, 1, 1, 12, 30, tzinfo=UTC) == status.next


@pytest.mark.parametrize("content", ["{", '{"tick": 5}', '{"tick": {"Last": "x"}}', "[]"])
def test_an_unreadable_status_file_is_started_afresh(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged file costs the memory of past runs, not the start."""
    path = tmp_path / "timers.json"
    path.write_text(content)
    with caplog.at_level(logging.WARNING):
        assert TimerStatusFile(path).get("tick") is None
    assert "is started afresh" in caplog.text


def test_statuses_survive_a_restart_and_leave_no_draft(tmp_path: Path) -> None:
    """What is written is read back equal, and only the finished file remains."""
    path = tmp_path / "deep" / "timers.json"
    status = TimerStatus(START, START + timedelta(hours=1), START)
    TimerStatusFile(path).put("tick", status)
    assert status == TimerStatusFile(path).get("tick")
    assert [path] == list(path.parent.iterdir())


def test_payload_without_status() -> None:
    """Without a status the payload says null, as the host does without a monitor."""
    assert json.loads(timer_payload(None, is_past_due=True)) == {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": None,
        "IsPastDue": True,
    }


def test_an_unusable_schedule_is_a_problem_of_its_function() -> None:
    """A bad schedule does not keep the other timers from being built."""
    timers, problems = build_timers([timer("daily"), timer()], {})
    assert (len(timers), problems[0].function) == (1, "tick")
