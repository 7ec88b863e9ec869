"""Turns a timer's schedule setting into something with a next occurrence, resolved in the order the host uses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from devhost.cron import CronError, parse_cron

_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):([0-5]?\d)(?::([0-5]?\d))?")
_SETTING = re.compile(r"%([^%]+)%")


class ScheduleError(ValueError):
    """The schedule cannot be used; the message says why in the words of the host where it has any."""


class Schedule(Protocol):
    """When a timer fires; `next_after` returns an aware UTC moment strictly after the given one."""

    def next_after(self, moment: datetime) -> datetime: ...

    @property
    def is_below_a_minute(self) -> bool: ...


@dataclass(frozen=True)
class IntervalSchedule:
    """A constant interval, which the host accepts as `hh:mm:ss`."""

    interval: timedelta

    def next_after(self, moment: datetime) -> datetime:
        return moment.astimezone(UTC) + self.interval

    @property
    def is_below_a_minute(self) -> bool:
        return self.interval < timedelta(minutes=1)


def resolve_schedule(text: str, settings: Mapping[str, str]) -> Schedule:
    """`%SETTING%` first, then NCRONTAB, then a time span; raises ScheduleError."""
    expression = _resolve_setting(text, settings)
    if len(expression.split()) > 1:
        try:
            cron = parse_cron(expression)
            cron.next_after(datetime.now(UTC))
        except CronError as error:
            raise ScheduleError(f"schedule {error}") from error
        return cron
    interval = parse_time_span(expression)
    if not interval:
        raise ScheduleError(f"schedule {expression!r} was not recognized as a valid cron expression or timespan string")
    return IntervalSchedule(interval)


def parse_time_span(text: str) -> timedelta | None:
    """A .NET TimeSpan `[d.]hh:mm[:ss]`, None when it is not one."""
    found = _TIME_SPAN.fullmatch(text.strip())
    if found is None or int(found[2]) > 23:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _resolve_setting(text: str, settings: Mapping[str, str]) -> str:
    found = _SETTING.fullmatch(text.strip())
    if found is None:
        return text.strip()
    value = settings.get(found[1])
    if not value:
        raise ScheduleError(f"schedule {text!r} names the setting {found[1]!r}, which is not set")
    return value.strip()
