"""Derived figures against values computed by hand, and against the facts of the shipped rows."""

import math
from datetime import date, timedelta

import pytest

from shared.market.providers.sample import SampleProvider
from shared.market.statistics import (
    Drawdown,
    annualised_volatility,
    max_drawdown,
    mean_volume,
    return_between,
    return_over_months,
)
from tests.unit.fakes.source import a_bar

DAY = date(2026, 1, 5)


def _bars(*closes: float, step: int = 1):
    return [a_bar(DAY + timedelta(days=step * number), close) for number, close in enumerate(closes)]


def test_price_and_total_return_use_their_own_closes():
    """100 to 110 is +10 % in price; with adjusted closes of 80 and 100 it is +25 % in all."""
    first, last = a_bar(DAY, 100, adj_close=80), a_bar(DAY + timedelta(days=9), 110, adj_close=100)
    window = return_between(first, last)

    assert (window.price, window.total) == (pytest.approx(10), pytest.approx(25))
    assert (window.start, window.end) == (DAY, DAY + timedelta(days=9))


# Measured on the shipped rows: 2012-01-03 (FB 2012-05-18) to 2013-03-01.
SHIPPED = {
    "AAPL": (411.23, 430.47, 4.6786, 6.2226),
    "FB": (38.2318, 27.78, -27.3380, -27.3380),
    "GOOG": (665.41, 806.19, 21.1569, 21.1569),
    "IBM": (186.3, 202.91, 8.9157, 11.2279),
    "MSFT": (26.765, 27.95, 4.4274, 8.3015),
}


@pytest.mark.parametrize("symbol", SHIPPED)
async def test_behaviour_12_raw_for_price_adjusted_for_return(symbol):
    """Closes are as traded, and both returns of the shipped rows are the measured ones."""
    bars = (await SampleProvider().history(symbol, "max", "1d")).bars
    window = return_between(bars[0], bars[-1])
    first, last, price, total = SHIPPED[symbol]

    assert (bars[0].close, bars[-1].close) == (first, last)
    assert (window.price, window.total) == (pytest.approx(price, abs=5.1e-5), pytest.approx(total, abs=5.1e-5))
    assert window.end == date(2013, 3, 1)


def test_return_over_months_starts_at_the_last_close_before():
    """On a weekend three months ago the Friday before counts."""
    bars = [a_bar(date(2026, 3, 6), 50), a_bar(date(2026, 3, 9), 80), a_bar(date(2026, 6, 8), 100)]
    window = return_over_months(bars, 3)

    assert (window.start, window.price) == (date(2026, 3, 6), pytest.approx(100))


def test_return_over_months_is_none_for_a_shorter_series():
    """What the series does not cover is not estimated."""
    assert return_over_months(_bars(1, 2, 3), 1) is None


def test_volatility_of_alternating_returns():
    """Returns of plus and minus r have the standard deviation r * sqrt(n/(n-1)); times sqrt(252), in percent."""
    bars = _bars(*([100, 101] * 11))[:21]
    step = math.log(1.01)

    assert annualised_volatility(bars) == pytest.approx(100 * step * math.sqrt(20 / 19) * math.sqrt(252))


def test_volatility_needs_twenty_returns():
    """With 20 bars there are 19 returns: no figure; with 21 there is one."""
    assert annualised_volatility(_bars(*range(1, 21))) is None
    assert annualised_volatility(_bars(*range(1, 22))) is not None


def test_steady_growth_has_no_volatility():
    """The same return every day deviates from nothing."""
    assert annualised_volatility(_bars(*(1.01**n for n in range(30)))) == pytest.approx(0, abs=1e-9)


def test_largest_fall_runs_from_a_peak_to_a_later_trough():
    """100, 120, 90, 130, 104: the fall from 120 to 90 is 25 %, the later one from 130 is 20 %."""
    drawdown = max_drawdown(_bars(100, 120, 90, 130, 104))

    assert (drawdown.percent, drawdown.peak, drawdown.trough) == (
        pytest.approx(-25),
        DAY + timedelta(days=1),
        DAY + timedelta(days=2),
    )


def test_rising_series_has_no_fall():
    """Zero, at the first day."""
    assert max_drawdown(_bars(1, 2, 3)) == Drawdown(0.0, DAY, DAY)


def test_drawdown_is_measured_on_adjusted_closes():
    """A dividend that explains the whole fall leaves none."""
    bars = [a_bar(DAY, 100, adj_close=95), a_bar(DAY + timedelta(days=1), 95, adj_close=95)]

    assert max_drawdown(bars).percent == 0


def test_mean_volume_is_of_the_last_days():
    """Older days do not count; a short series gives what it has."""
    bars = [a_bar(DAY, 1, volume=volume) for volume in (900, 10, 20)]

    assert (mean_volume(bars, 2), mean_volume(bars, 20)) == (15, 310)
