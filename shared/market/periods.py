"""Calendar arithmetic on bars: where a range starts, and weekly or monthly bars out of daily ones."""

import calendar
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby

from shared.market.types import Bar, History, HistoryRange, Interval

_MONTHS: dict[HistoryRange, int] = {
    "1mo": 1,
    "3mo": 3,
    "6mo": 6,
    "1y": 12,
    "2y": 24,
    "5y": 60,
    "10y": 120,
}


def months_before(day: date, months: int) -> date:
    """The same day of the month, ``months`` earlier; the month's last day where it is shorter."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def first_day(period: HistoryRange, last: date) -> date:
    """The first calendar day of ``period`` when it ends on ``last``; ``5d`` counts bars and has none."""
    if period == "max":
        return date.min
    if period == "ytd":
        return date(last.year, 1, 1)
    return months_before(last, _MONTHS[period])


def latest(history: History, period: HistoryRange) -> History:
    """The part of ``history`` that ``period`` covers, counted back from its newest bar."""
    if period == "5d":
        bars = history.bars[-5:]
    else:
        start = first_day(period, history.bars[-1].date)
        bars = tuple(bar for bar in history.bars if bar.date >= start)
    splits = tuple(split for split in history.splits if split.date >= bars[0].date)
    return replace(history, bars=bars, splits=splits)


def resample(bars: Sequence[Bar], interval: Interval) -> tuple[Bar, ...]:
    """Daily bars as they are, or one bar per ISO week or calendar month, dated by its first trading day."""
    if interval == "1d":
        return tuple(bars)

    def week(bar: Bar) -> tuple[int, int]:
        return bar.date.isocalendar()[:2]

    def month(bar: Bar) -> tuple[int, int]:
        return bar.date.year, bar.date.month

    return tuple(_joined(list(group)) for _, group in groupby(bars, key=week if interval == "1wk" else month))


def _joined(bars: list[Bar]) -> Bar:
    return Bar(
        date=bars[0].date,
        open=bars[0].open,
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        close=bars[-1].close,
        adj_close=bars[-1].adj_close,
        volume=sum(bar.volume for bar in bars),
    )
