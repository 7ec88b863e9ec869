"""Whether new market data can be true, given the last that were good: a wrong number is worse than an old one.

The guard judges, it does not repair. What fails it is marked as suspect and must not replace the last good value; since
real crashes and real splits exist, a caller should let a second source, or repetition over time, overrule it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Final, Literal

from shared.market.types import Bar, History, Quote

Reason = Literal["price_not_finite", "price_not_positive", "currency_changed", "price_jump", "split_sized_jump"]

JUMP_FACTOR: Final = 60.0
"""A price that moves by more is in the wrong unit: pence for pounds is 100, less a day on which a share loses 40 %."""

SPLIT_RATIOS: Final = (
    *(2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0),
    *(1 / 4, 1 / 5, 1 / 6, 1 / 8, 1 / 10, 1 / 12, 1 / 15, 1 / 20, 1 / 25, 1 / 30, 1 / 40, 1 / 50),
)
"""New shares for one old share. 3:2 and reverse 1:2 and 1:3 are left out: a fall by a third and a price that doubles or
triples overnight (a bad quarter, an offer) are commoner than those splits."""

SPLIT_TOLERANCE: Final = 0.04
"""How far from a ratio the first price after a split may be: the overnight move that comes on top of it."""

# Every usual day is in here, which spares a long history the search.
_NO_SPLIT = (0.3, 1.9)

COMPARABLE_FOR: Final = timedelta(days=10)
"""Quotes further apart are not compared for a split: in that time a price gets to such a level by itself."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reasons`` says what is implausible, each once; without any it is ``ok``."""

    reasons: tuple[Reason, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.reasons


def split_ratio(before: float, after: float) -> float | None:
    """The split that would take a price from ``before`` to ``after`` overnight, or None when none would."""
    observed = before / after
    if _NO_SPLIT[0] < observed < _NO_SPLIT[1]:
        return None
    nearest = min(SPLIT_RATIOS, key=lambda ratio: abs(math.log(observed / ratio)))
    return nearest if abs(observed / nearest - 1) <= SPLIT_TOLERANCE else None


def judge_quote(new: Quote, last: Quote | None) -> Verdict:
    """Against the ``last`` good quote of the same symbol, from whichever source; without one only the price counts.

    A fall to a half is a split-sized jump only when the source's own previous close fell with it: the price has been
    put on another footing. With the previous close where it was, it is what happened on the market.
    """
    prices = [new.value] if new.previous_close is None else [new.value, new.previous_close]
    if broken := _not_a_price(prices):
        return Verdict((broken,))
    if last is None:
        return Verdict()
    if new.currency != last.currency:
        # Two prices in different currencies say nothing about each other.
        return Verdict(("currency_changed",))
    if _factor(last.value, new.value) > JUMP_FACTOR:
        return Verdict(("price_jump",))
    before = new.value if new.previous_close is None else new.previous_close
    recent = abs(new.as_of - last.as_of) <= COMPARABLE_FOR
    return Verdict(("split_sized_jump",)) if recent and split_ratio(last.value, before) else Verdict()


def judge_history(new: History, last: History | None) -> Verdict:
    """Against the ``last`` good history of the same symbol, and each bar against the one before it.

    Prices are compared across the two only within one source, interval and footing. A split-sized jump between daily
    bars is explained by a split of that day if the prices are as traded; where they account for splits, it is never.
    Bars that ``last`` has with the same close have been judged before.
    """
    if broken := _not_a_price([price for bar in new.bars for price in _prices(bar)]):
        return Verdict((broken,))
    reasons: list[Reason] = []
    if last is not None and new.currency != last.currency:
        reasons.append("currency_changed")
    elif last is not None and _alike(new, last):
        reasons += _moved(new, last)
    known = {(bar.date, bar.close) for bar in last.bars} if last is not None else set()
    unseen = [(a, b) for a, b in pairwise(new.bars) if not {(a.date, a.close), (b.date, b.close)} <= known]
    if any(_factor(before.close, after.open) > JUMP_FACTOR for before, after in unseen):
        reasons.append("price_jump")
    if new.interval == "1d" and any(_unexplained(new, before, after) for before, after in unseen):
        reasons.append("split_sized_jump")
    return Verdict(tuple(dict.fromkeys(reasons)))


def _prices(bar: Bar) -> tuple[float, ...]:
    return bar.low, bar.open, bar.close, bar.high, bar.adj_close


def _not_a_price(values: Sequence[float]) -> Reason | None:
    if not all(map(math.isfinite, values)):
        return "price_not_finite"
    return "price_not_positive" if min(values) <= 0 else None


def _factor(one: float, other: float) -> float:
    return max(one / other, other / one)


def _alike(new: History, last: History) -> bool:
    return (new.source, new.interval, new.split_adjusted) == (last.source, last.interval, last.split_adjusted)


def _moved(new: History, last: History) -> list[Reason]:
    """What happened to the newest close that both have; a split that ``last`` did not know of accounts for one."""
    closes = {bar.date: bar.close for bar in last.bars[:-1]}  # its newest bar may have been of a running session
    common = next((bar for bar in reversed(new.bars) if bar.date in closes), None)
    if common is None:
        return []
    before = closes[common.date]
    if _factor(before, common.close) > JUMP_FACTOR:
        return ["price_jump"]
    ratio = split_ratio(before, common.close)
    announced = {split.ratio for split in new.splits if new.split_adjusted and split.date > common.date}
    return [] if ratio is None or any(_factor(ratio, other) < 1.01 for other in announced) else ["split_sized_jump"]


def _unexplained(history: History, before: Bar, after: Bar) -> bool:
    if split_ratio(before.close, after.open) is None:
        return False
    # The market may be closed on the day that a source gives a split.
    announced = any(before.date < split.date <= after.date for split in history.splits)
    return history.split_adjusted or not announced
