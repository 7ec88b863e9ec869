"""Remembers when each timer ran last and runs next, so that a run missed while the host was down is made up for."""

import json
import logging
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from devhost.schedules import Schedule

_log = logging.getLogger("devhost")
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class TimerStatus:
    """Aware UTC moments; `last` is NEVER before the first run."""

    last: datetime
    next: datetime
    updated: datetime

    def to_json(self) -> dict[str, str]:
        """The names and the format of the timer payload."""
        return {"Last": _iso(self.last), "Next": _iso(self.next), "LastUpdated": _iso(self.updated)}


def status_after_run(schedule: Schedule, run_at: datetime) -> TimerStatus:
    return TimerStatus(last=run_at, next=schedule.next_after(run_at), updated=run_at)


def status_at_start(known: TimerStatus | None, schedule: Schedule, now: datetime) -> TimerStatus:
    """What the host would record at start; a `next` in the past means that a run was missed.

    A changed schedule never makes a run past due: its next occurrence is counted from now.
    """
    if known is None:
        return TimerStatus(last=NEVER, next=schedule.next_after(now), updated=now)
    base = known.updated if known.last == NEVER else known.last
    expected = schedule.next_after(base)
    if known.next == expected:
        return known
    if now > expected:
        expected, base = schedule.next_after(now), now
    return replace(known, last=NEVER, next=expected, updated=base)


class TimerStatusFile:
    """One JSON file, written whole and atomically; created with its directory at the first write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._statuses = self._read()

    def get(self, timer: str) -> TimerStatus | None:
        return self._statuses.get(timer)

    def put(self, timer: str, status: TimerStatus) -> None:
        """A file that cannot be written costs past-due runs, not the schedule."""
        if self._statuses.get(timer) == status:
            return
        self._statuses[timer] = status
        content = {name: each.to_json() for name, each in sorted(self._statuses.items())}
        draft = self._path.with_suffix(".tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
            os.replace(draft, self._path)  # noqa: PTH105 - Path.replace is the same call
        except OSError as error:
            _log.warning("cannot write %s (%s); missed timer runs will not be noticed", self._path, error)

    def _read(self) -> dict[str, TimerStatus]:
        if not self._path.exists():
            return {}
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return {name: _from_json(entry) for name, entry in content.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning("%s is not readable (%r) and is started afresh", self._path, error)
            return {}


def _from_json(entry: dict[str, str]) -> TimerStatus:
    return TimerStatus(*(_parse(entry[name]) for name in ("Last", "Next", "LastUpdated")))


def _parse(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    return "0001-01-01T00:00:00" if moment == NEVER else moment.isoformat()
