"""From the text of a timer to its schedule."""

from datetime import UTC, datetime, timedelta

import pytest

from devhost.schedules import ScheduleError, parse_time_span, resolve_schedule

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_setting_in_percent_signs_is_looked_up() -> None:
    """A schedule that is one %SETTING% is that setting's value."""
    schedule = resolve_schedule("%NIGHTLY%", {"NIGHTLY": "0 0 3 * * *"})
    assert datetime(2026, 1, 1, 3, tzinfo=UTC) == schedule.next_after(START)


@pytest.mark.parametrize("settings", [{}, {"NIGHTLY": ""}])
def test_a_setting_that_is_missing_or_empty_is_named(settings: dict[str, str]) -> None:
    """An unresolved %SETTING% is an error that names the setting."""
    with pytest.raises(ScheduleError, match="'NIGHTLY', which is not set"):
        resolve_schedule("%NIGHTLY%", settings)


def test_a_time_span_is_an_interval() -> None:
    """A .NET TimeSpan counts from the moment given."""
    schedule = resolve_schedule("00:00:30", {})
    assert START + timedelta(seconds=30) == schedule.next_after(START)
    assert schedule.is_below_a_minute


@pytest.mark.parametrize("text", ["daily", "", "00:00:00", "25:00:00", "@hourly"])
def test_anything_else_is_refused_in_the_hosts_words(text: str) -> None:
    """Neither cron nor a positive time span: the host's own sentence."""
    with pytest.raises(ScheduleError, match="was not recognized as a valid cron expression or timespan string"):
        resolve_schedule(text, {})


def test_a_schedule_that_never_occurs_is_refused() -> None:
    """An impossible date is found when the schedule is read, not when it is waited for."""
    with pytest.raises(ScheduleError, match="never occurs"):
        resolve_schedule("0 0 0 30 2 *", {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:05:00", timedelta(minutes=5)),
        ("1.02:00:00", timedelta(days=1, hours=2)),
        ("01:30", timedelta(hours=1, minutes=30)),
        ("5", None),
        ("00:60:00", None),
    ],
)
def test_time_spans(text: str, expected: timedelta | None) -> None:
    """Days, hours, minutes and seconds in the .NET spelling; None for anything else."""
    assert expected == parse_time_span(text)
