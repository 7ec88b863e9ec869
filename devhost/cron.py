"""NCRONTAB, because no Python cron library agrees with the Azure host on weekdays, reversed ranges and `and`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split()  # noqa: SIM905
# Weekdays and leap years repeat within 28 years, 40 around 2100; what does not occur by then never does.
_HORIZON = timedelta(days=366 * 40)


class CronError(ValueError):
    """The expression is not NCRONTAB, or it never occurs; the message quotes it."""


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: Sequence[str] = ()

    def parse(self, text: str) -> frozenset[int]:
        return frozenset().union(*(self._parse_item(item) for item in text.split(",")))

    def _parse_item(self, item: str) -> range:
        span, slash, step_text = item.partition("/")
        step = self._step(step_text) if slash else 1
        if span == "*":
            return range(self.low, self.high + 1, step)
        first_text, dash, last_text = span.partition("-")
        first = self._value(first_text)
        if dash:
            last = self._value(last_text)
            # The host swaps a reversed range: hours 22-2 are 2-22, they do not wrap around midnight.
            return range(min(first, last), max(first, last) + 1, step)
        return range(first, (self.high if slash else first) + 1, step)

    def _step(self, text: str) -> int:
        if not re.fullmatch(r"[0-9]+", text) or int(text) == 0:
            raise CronError(f"{text!r} is not a step for the {self.name} field; use a whole number above 0")
        return int(text)

    def _value(self, text: str) -> int:
        if re.fullmatch(r"[0-9]+", text):
            value = int(text)
            if not self.low <= value <= self.high:
                raise CronError(f"{value} is outside {self.low}-{self.high} of the {self.name} field")
            return value
        for index, name in enumerate(self.names):
            if text and name.lower().startswith(text.lower()):
                return self.low + index
        raise CronError(f"{text!r} is not a value of the {self.name} field ({self.low}-{self.high})")


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _DAYS),
)


@dataclass(frozen=True)
class CronSchedule:
    """Six sets of allowed values; day of month AND day of week must both match, Sunday is 0, times are UTC."""

    text: str
    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def next_after(self, moment: datetime) -> datetime:
        """The first occurrence strictly after `moment` (aware); CronError when there is none."""
        time = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        horizon = time + _HORIZON
        while time < horizon:
            later = self._skip_ahead(time)
            if later == time:
                return time
            time = later
        raise CronError(f"{self.text!r} never occurs")

    def _skip_ahead(self, time: datetime) -> datetime:
        """`time` itself when it matches, else the start of the next unit that might."""
        if time.month not in self.months:
            first = time.replace(day=1, hour=0, minute=0, second=0)
            return (first + timedelta(days=32)).replace(day=1)
        if time.day not in self.days or time.isoweekday() % 7 not in self.weekdays:
            return time.replace(hour=0, minute=0, second=0) + timedelta(days=1)
        if time.hour not in self.hours:
            return time.replace(minute=0, second=0) + timedelta(hours=1)
        if time.minute not in self.minutes:
            return time.replace(second=0) + timedelta(minutes=1)
        return time if time.second in self.seconds else time + timedelta(seconds=1)

    @property
    def is_below_a_minute(self) -> bool:
        """True when it fires every minute more than once: the host then keeps no status for past-due runs."""
        coarse = zip(_FIELDS[1:], (self.minutes, self.hours, self.days, self.months, self.weekdays), strict=True)
        return len(self.seconds) > 1 and all(len(values) == kind.high - kind.low + 1 for kind, values in coarse)


def parse_cron(text: str) -> CronSchedule:
    """Five fields mean second 0; raises CronError."""
    parts = text.split()
    if len(parts) == 5:
        parts = ["0", *parts]
    if len(parts) != 6:
        raise CronError(f"{text!r} has {len(parts)} fields; NCRONTAB has 6, seconds first (or 5 without seconds)")
    try:
        return CronSchedule(text, *(kind.parse(part) for kind, part in zip(_FIELDS, parts, strict=True)))
    except CronError as error:
        raise CronError(f"{text!r}: {error}") from None
