"""NCRONTAB as the Azure host reads it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devhost.cron import CronError, CronSchedule, parse_cron

START = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("0 */5 * * * *", "2026-01-01T00:00:00", "2026-01-01T00:05:00"),
        ("*/5 * * * *", "2026-01-01T00:04:59", "2026-01-01T00:05:00"),
        ("30 15 10 * * *", "2026-01-01T10:15:30", "2026-01-02T10:15:30"),
        ("0 0 9-17/4 * * *", "2026-01-01T13:00:00", "2026-01-01T17:00:00"),
        ("0 50/4 * * * *", "2026-01-01T00:50:00", "2026-01-01T00:54:00"),
        ("0 0 0 1 2,4 *", "2026-02-01T00:00:00", "2026-04-01T00:00:00"),
        ("0 0 0 * * 0", "2026-01-01T00:00:00", "2026-01-04T00:00:00"),
        ("0 0 0 * * SUN", "2026-01-01T00:00:00", "2026-01-04T00:00:00"),
        ("0 0 0 * * mon-Friday", "2026-01-03T00:00:00", "2026-01-05T00:00:00"),
        ("0 0 0 * * m", "2026-01-01T00:00:00", "2026-01-05T00:00:00"),
        ("0 0 0 1 m *", "2026-01-01T00:00:00", "2026-03-01T00:00:00"),
        ("0 0 0 13 * 5", "2026-01-01T00:00:00", "2026-02-13T00:00:00"),
        ("0 0 22-2 * * *", "2026-01-01T02:00:00", "2026-01-01T03:00:00"),
        ("0 0 0 29 2 *", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 31 * *", "2026-01-31T00:00:00", "2026-03-31T00:00:00"),
        ("0 0 0 31 12 *", "2026-12-31T00:00:00", "2027-12-31T00:00:00"),
        ("59 59 23 31 12 *", "2026-12-31T23:59:58.900000", "2026-12-31T23:59:59"),
    ],
)
def test_next_occurrence(expression: str, after: str, expected: str) -> None:
    """The next occurrence is the one the host computes: seconds first, Sunday 0, swapped ranges, day AND weekday."""
    assert moment(expected) == parse_cron(expression).next_after(moment(after))


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * *", "has 4 fields"),
        ("0 0 0 * * * *", "has 7 fields"),
        ("60 * * * * *", "60 is outside 0-59 of the second field"),
        ("0 0 24 * * *", "24 is outside 0-23 of the hour field"),
        ("0 0 0 0 * *", "0 is outside 1-31 of the day of month field"),
        ("0 0 0 * * 7", "7 is outside 0-6 of the day of week field"),
        ("0 0 0 L * *", "'L' is not a value of the day of month field"),
        ("0 0 0 * * Moonday", "'Moonday' is not a value of the day of week field"),
        ("0 */0 * * * *", "'0' is not a step for the minute field"),
        ("0 1,, * * * *", "'' is not a value of the minute field"),
        ("0 -5 * * * *", "'' is not a value of the minute field"),
        ("0 ½ * * * *", "'½' is not a value of the minute field"),
    ],
)
def test_bad_expressions(expression: str, words: str) -> None:
    """An expression the host would refuse is refused in words that name the field and quote the expression."""
    with pytest.raises(CronError) as caught:
        parse_cron(expression)
    assert words in str(caught.value)
    assert repr(expression) in str(caught.value)


@pytest.mark.parametrize("expression", ["0 0 0 30 2 *", "0 0 0 31 4,6,9,11 *"])
def test_impossible_dates_raise(expression: str) -> None:
    """A date that no calendar has raises instead of searching for ever."""
    with pytest.raises(CronError, match="never occurs"):
        parse_cron(expression).next_after(START)


def test_a_date_before_the_missing_leap_year_of_2100_is_found() -> None:
    """The search reaches past 2100, which has no 29 February, to the next Monday that is one."""
    assert moment("2112-02-29T00:00:00") == parse_cron("0 0 0 29 2 1").next_after(moment("2095-01-01T00:00:00"))


def test_other_zones_are_computed_in_utc() -> None:
    """A moment of another zone is taken as the same instant in UTC."""
    late = datetime(2026, 1, 1, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert moment("2026-01-03T00:00:00") == parse_cron("0 0 0 * * *").next_after(late)


@pytest.mark.parametrize(
    ("expression", "below"),
    [("*/10 * * * * *", True), ("0 * * * * *", False), ("*/10 0 * * * *", False), ("*/10 * * * * 1-5", False)],
)
def test_below_a_minute(expression: str, below: bool) -> None:
    """Only a schedule that fires several times in every single minute counts as below a minute."""
    assert below == parse_cron(expression).is_below_a_minute


@st.composite
def fields(draw: st.DrawFn) -> str:
    def field(low: int, high: int) -> str:
        values = draw(st.lists(st.integers(low, high), min_size=1, max_size=3))
        return draw(st.sampled_from(["*", ",".join(map(str, values)), f"{min(values)}-{max(values)}"]))

    return " ".join(["0", field(0, 59), field(0, 23), field(1, 28), "*", field(0, 6)])


def matches(schedule: CronSchedule, time: datetime) -> bool:
    return (
        time.second in schedule.seconds
        and time.minute in schedule.minutes
        and time.hour in schedule.hours
        and time.day in schedule.days
        and time.month in schedule.months
        and (time.weekday() + 1) % 7 in schedule.weekdays
    )


@given(fields(), st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)))
def test_next_occurrence_agrees_with_brute_force(expression: str, after: datetime) -> None:
    """No earlier minute matches, and the one returned does."""
    schedule = parse_cron(expression)
    after = after.replace(tzinfo=UTC)
    found = schedule.next_after(after)
    assert matches(schedule, found)
    earlier = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for _ in range(1500):
        if earlier >= found:
            break
        assert not matches(schedule, earlier)
        earlier += timedelta(minutes=1)
