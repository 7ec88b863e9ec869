"""Figures derived from a series of bars: returns, volatility, extremes, drawdown."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from statistics import fmean, stdev

from shared.market.periods import months_before
from shared.market.types import Bar

TRADING_DAYS_PER_YEAR = 252


@dataclass(frozen=True, slots=True)
class WindowReturn:
    """Change between two closes in percent; ``total`` includes dividends and splits, ``price`` does not."""

    start: date
    end: date
    price: float
    total: float


def return_between(first: Bar, last: Bar) -> WindowReturn:
    return WindowReturn(
        start=first.date,
        end=last.date,
        price=100 * (last.close / first.close - 1),
        total=100 * (last.adj_close / first.adj_close - 1),
    )


def return_over_months(bars: Sequence[Bar], months: int) -> WindowReturn | None:
    """From the last close on or before the day ``months`` ago; None when the series starts later."""
    wanted = months_before(bars[-1].date, months)
    earlier = [bar for bar in bars if bar.date <= wanted]
    return return_between(earlier[-1], bars[-1]) if earlier else None


def annualised_volatility(bars: Sequence[Bar]) -> float | None:
    """Sample standard deviation of daily log returns of the adjusted close times sqrt(252), in percent; None below 20
    returns, where the figure would say more about the sample than about the share."""
    closes = [bar.adj_close for bar in bars]
    returns = [math.log(b / a) for a, b in pairwise(closes)]
    if len(returns) < 20:
        return None
    return 100 * stdev(returns) * math.sqrt(TRADING_DAYS_PER_YEAR)


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The largest fall from a peak to a later trough, in percent (negative or zero), on adjusted closes."""

    percent: float
    peak: date
    trough: date


def max_drawdown(bars: Sequence[Bar]) -> Drawdown:
    peak = bars[0]
    worst = Drawdown(0.0, peak.date, peak.date)
    for bar in bars:
        if bar.adj_close > peak.adj_close:
            peak = bar
        fall = 100 * (bar.adj_close / peak.adj_close - 1)
        if fall < worst.percent:
            worst = Drawdown(fall, peak.date, bar.date)
    return worst


def mean_volume(bars: Sequence[Bar], days: int) -> float:
    return fmean(bar.volume for bar in bars[-days:])
