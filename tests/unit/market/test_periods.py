"""Where a range starts, and coarser bars out of daily ones."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.market.periods import first_day, latest, months_before, resample
from shared.market.types import Bar, Split
from tests.unit.fakes.source import LAST_DAY, a_bar, a_history


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 6, 12), 1, date(2026, 5, 12)),
        (date(2026, 6, 12), 12, date(2025, 6, 12)),
        (date(2026, 1, 31), 2, date(2025, 11, 30)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2023, 3, 31), 1, date(2023, 2, 28)),
        (date(2024, 2, 29), 12, date(2023, 2, 28)),
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
        (date(2026, 12, 15), 12, date(2025, 12, 15)),
    ],
)
def test_months_before(day, months, expected):
    """The same day of an earlier month, or its last day where that month is shorter."""
    assert expected == months_before(day, months)


@given(st.dates(date(1950, 1, 1)), st.integers(1, 120))
def test_months_before_is_earlier_by_that_many_months(day, months):
    """The calendar distance is exact, and the day is never later in its month."""
    earlier = months_before(day, months)

    assert (day.year * 12 + day.month) - (earlier.year * 12 + earlier.month) == months
    assert earlier.day <= day.day


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("1mo", date(2026, 5, 12)),
        ("3mo", date(2026, 3, 12)),
        ("6mo", date(2025, 12, 12)),
        ("ytd", date(2026, 1, 1)),
        ("1y", date(2025, 6, 12)),
        ("2y", date(2024, 6, 12)),
        ("5y", date(2021, 6, 12)),
        ("10y", date(2016, 6, 12)),
        ("max", date.min),
    ],
)
def test_first_day_of_each_period(period, expected):
    """Counted back from the last day, not from today."""
    assert expected == first_day(period, LAST_DAY)


def test_latest_keeps_bars_and_splits_of_the_period():
    """Both ends are included; a split before the first kept bar is left out."""
    history = replace(
        a_history([100.0] * 100),
        splits=(Split(LAST_DAY - timedelta(days=60), 2.0), Split(LAST_DAY - timedelta(days=10), 4.0)),
    )
    kept = latest(history, "1mo")

    assert (kept.bars[0].date, kept.bars[-1].date) == (date(2026, 5, 12), LAST_DAY)
    assert kept.splits == (Split(LAST_DAY - timedelta(days=10), 4.0),)
    assert kept.as_of == history.as_of


def test_five_days_are_five_bars():
    """Days without trading do not count."""
    assert len(latest(a_history([1.0] * 9), "5d").bars) == 5
    assert len(latest(a_history([1.0] * 3), "5d").bars) == 3


def test_short_history_is_kept_whole():
    """A period longer than the series is the series."""
    assert latest(a_history([1.0] * 9), "5y").bars == a_history([1.0] * 9).bars


WEEK = [  # Thursday to Tuesday
    Bar(date(2026, 1, 1), 10, 12, 9, 11, 5.5, 100),
    Bar(date(2026, 1, 2), 11, 15, 10, 14, 7.0, 200),
    Bar(date(2026, 1, 5), 14, 14, 8, 9, 4.5, 300),
    Bar(date(2026, 2, 3), 9, 10, 7, 8, 4.0, 400),
]


def test_weeks_are_iso_weeks():
    """Open of the first day, extremes of all, close of the last, volumes added, dated by the first trading day."""
    assert resample(WEEK, "1wk") == (
        Bar(date(2026, 1, 1), 10, 15, 9, 14, 7.0, 300),
        Bar(date(2026, 1, 5), 14, 14, 8, 9, 4.5, 300),
        Bar(date(2026, 2, 3), 9, 10, 7, 8, 4.0, 400),
    )


def test_months_are_calendar_months():
    """The same, by month."""
    assert resample(WEEK, "1mo") == (
        Bar(date(2026, 1, 1), 10, 15, 8, 9, 4.5, 600),
        Bar(date(2026, 2, 3), 9, 10, 7, 8, 4.0, 400),
    )


def test_turn_of_the_year_is_one_week():
    """29 December and 2 January of an ISO week belong together, a year later they do not."""
    days = [date(2025, 12, 29), date(2026, 1, 2), date(2026, 12, 28)]

    assert len(resample([a_bar(day, 10) for day in days], "1wk")) == 2


def test_daily_bars_stay():
    """Nothing to join."""
    assert resample(WEEK, "1d") == tuple(WEEK)
