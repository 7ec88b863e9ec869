"""Splits of a series as traded."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from shared.agent.facts import FactLedger
from shared.agent.tools.history_summary import summarise
from shared.market.splits import without_splits
from shared.market.types import Bar, History, Split

START = date(2026, 1, 5)


def traded() -> History:
    """Fifty days at 200, then twenty shares for one, then fifty days at 10."""
    days = [START + timedelta(days=number) for number in range(100)]
    prices = [200.0] * 50 + [10.0] * 50
    bars = tuple(Bar(day, price, price, price, price, 10.0, 100) for day, price in zip(days, prices, strict=True))
    moment = datetime(2026, 4, 15, tzinfo=UTC)
    split = Split(days[50], 20.0)
    return History("X", "X", "USD", "1d", bars, moment, "s", split_adjusted=False, splits=(split,))


def test_a_split_is_not_a_loss() -> None:
    """A raw 20:1 split gives a return and a drawdown of zero, not -95 percent."""
    facts = {fact.name: fact.value for fact in summarise(without_splits(traded()), "1y", FactLedger())}
    assert (facts["price_return_1y"], facts["total_return_1y"], facts["max_drawdown"]) == (0, 0, 0)


def test_bars_before_the_split_are_in_todays_shares() -> None:
    """Prices are divided and volumes multiplied before the split's day, and left alone from it on."""
    bars = without_splits(traded()).bars
    assert (bars[49].close, bars[49].volume, bars[50].close, bars[50].volume) == (10.0, 2000, 10.0, 100)


def test_an_adjusted_history_is_left_alone() -> None:
    """Nothing is taken out twice."""
    history = replace(traded(), split_adjusted=True)
    assert without_splits(history) is history
    assert without_splits(without_splits(traded())) == without_splits(traded())
