"""What the guard lets through and what it calls suspect."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.market.plausibility import (
    COMPARABLE_FOR,
    SPLIT_RATIOS,
    Verdict,
    judge_history,
    judge_quote,
    split_ratio,
)
from shared.market.types import Bar, History, Quote, Split

DAY = date(2026, 6, 12)
AS_OF = datetime(2026, 6, 12, 20, 0, tzinfo=UTC)
LAST = Quote("EX", "Example", 100.0, "USD", AS_OF - timedelta(days=1), "yahoo", previous_close=99.0)


def _quote(value, previous_close=None, **changes):
    return replace(LAST, value=value, previous_close=previous_close, as_of=AS_OF, **changes)


def _history(*closes, opens=None, **changes):
    """Daily bars up to ``DAY``; each opens where the one before has closed unless ``opens`` says otherwise."""
    days = [DAY - timedelta(days=back) for back in range(len(closes))][::-1]
    opens = opens or [closes[0], *closes[:-1]]
    bars = [
        Bar(day, opened, max(opened, close), min(opened, close), close, close, 10)
        for day, opened, close in zip(days, opens, closes, strict=True)
    ]
    history = History("EX", "Example", "USD", "1d", tuple(bars), AS_OF, "yahoo")
    return replace(history, **changes)


@pytest.mark.parametrize(
    ("quote", "reasons"),
    [
        pytest.param(_quote(101.0, 100.0), (), id="usual day"),
        pytest.param(_quote(101.0), (), id="no previous close"),
        pytest.param(_quote(-1.0), ("price_not_positive",), id="negative"),
        pytest.param(_quote(0.0), ("price_not_positive",), id="zero"),
        pytest.param(_quote(100.0, 0.0), ("price_not_positive",), id="previous close of zero"),
        pytest.param(_quote(math.nan), ("price_not_finite",), id="NaN"),
        pytest.param(_quote(math.inf), ("price_not_finite",), id="infinite"),
        pytest.param(_quote(100.0, math.nan), ("price_not_finite",), id="previous close NaN"),
        pytest.param(_quote(100.0, currency="EUR"), ("currency_changed",), id="currency"),
        pytest.param(_quote(1e6, currency="EUR"), ("currency_changed",), id="currency tells nothing of the price"),
        pytest.param(_quote(10_000.0), ("price_jump",), id="hundredfold"),
        pytest.param(_quote(1.0, 1.0), ("price_jump",), id="hundredth"),
        pytest.param(_quote(6_100.0), ("price_jump",), id="pence after a loss of 39 %"),
        pytest.param(_quote(5_900.0), (), id="below the factor"),
        pytest.param(_quote(50.0, 100.0), (), id="crash from the same previous close"),
        pytest.param(_quote(50.0, 50.5), ("split_sized_jump",), id="halved with its previous close"),
        pytest.param(_quote(5.0, 5.1), ("split_sized_jump",), id="one twentieth with its previous close"),
        pytest.param(_quote(1_000.0, 1_003.0), ("split_sized_jump",), id="reverse split"),
        pytest.param(_quote(50.0), ("split_sized_jump",), id="halved, nothing else known"),
        pytest.param(_quote(66.0), (), id="a third lost"),
        pytest.param(_quote(200.0, 199.0), (), id="doubled"),
        pytest.param(_quote(50.0, 50.5, source="alpha_vantage"), ("split_sized_jump",), id="other source"),
    ],
)
def test_quote_against_the_last_good_one(quote, reasons):
    """Each kind of implausible quote has its reason, and a usual or merely bad day has none."""
    assert judge_quote(quote, LAST) == Verdict(reasons)


@pytest.mark.parametrize(("age", "reasons"), [(timedelta(), ("split_sized_jump",)), (timedelta(seconds=1), ())])
def test_old_quotes_are_not_compared_for_splits(age, reasons):
    """What was good ten days ago cannot tell a split from a long fall; a wrong unit it still can."""
    old = replace(LAST, as_of=AS_OF - COMPARABLE_FOR - age)

    assert judge_quote(_quote(50.0), old).reasons == reasons
    assert judge_quote(_quote(10_000.0), old).reasons == ("price_jump",)


def test_first_quote_needs_only_a_price():
    """Without a good one before, every positive price is plausible."""
    assert judge_quote(_quote(1e7), None).ok
    assert not judge_quote(_quote(0.0), None).ok


SPLIT = (Split(DAY, 4.0),)
CRASHED = _history(100.0, 50.0, 51.0, opens=[100.0, 50.0, 50.0])


@pytest.mark.parametrize(
    ("history", "last", "reasons"),
    [
        pytest.param(_history(100.0, 101.0, 99.0), None, (), id="first"),
        pytest.param(_history(100.0, 101.0, 99.0), _history(100.0, 101.0), (), id="one bar more"),
        pytest.param(_history(100.0, 0.0), None, ("price_not_positive",), id="zero"),
        pytest.param(_history(100.0, math.nan), None, ("price_not_finite",), id="NaN"),
        pytest.param(_history(100.0, 101.0, currency="EUR"), _history(100.0, 101.0), ("currency_changed",), id="euro"),
        pytest.param(_history(100.0, 1.0, opens=[100.0, 1.0]), None, ("price_jump",), id="unit changes inside"),
        pytest.param(
            _history(1.0, 1.01, 0.99), _history(100.0, 101.0, 99.0), ("price_jump",), id="everything in another unit"
        ),
        pytest.param(
            _history(100.0, 25.0, opens=[100.0, 25.2], split_adjusted=False),
            None,
            ("split_sized_jump",),
            id="as traded, split not listed",
        ),
        pytest.param(
            _history(100.0, 25.0, opens=[100.0, 25.2], split_adjusted=False, splits=SPLIT), None, (), id="listed"
        ),
        pytest.param(
            _history(100.0, 25.0, opens=[100.0, 25.2], splits=SPLIT),
            None,
            ("split_sized_jump",),
            id="said to be adjusted and is not",
        ),
        pytest.param(_history(100.0, 50.0), None, (), id="fell to a half during the day"),
        pytest.param(_history(100.0, 67.0, opens=[100.0, 67.0]), None, (), id="opened a third lower"),
        pytest.param(CRASHED, None, ("split_sized_jump",), id="opened at a half"),
        pytest.param(CRASHED, CRASHED, (), id="opened at a half, known"),
        pytest.param(replace(CRASHED, interval="1wk"), None, (), id="opened at a half, weekly"),
        pytest.param(
            _history(25.0, 25.5, 25.2), _history(100.0, 102.0, 101.0), ("split_sized_jump",), id="quartered silently"
        ),
        pytest.param(
            _history(25.0, 25.5, 25.2, splits=SPLIT), _history(100.0, 102.0, 101.0), (), id="quartered by its split"
        ),
        pytest.param(
            _history(25.0, 25.5, 25.2, splits=SPLIT, split_adjusted=False),
            _history(100.0, 102.0, 101.0, split_adjusted=False),
            ("split_sized_jump",),
            id="as traded, but the past has changed",
        ),
        pytest.param(
            _history(25.0, 25.5, 25.2, source="alpha_vantage"), _history(100.0, 102.0, 101.0), (), id="other source"
        ),
        pytest.param(
            _history(25.0, 25.5, 25.2, split_adjusted=False), _history(100.0, 102.0, 101.0), (), id="other footing"
        ),
        pytest.param(_history(10.0, 20.0), _history(10.0, 40.0), (), id="running session of before"),
    ],
)
def test_history_against_itself_and_the_last_good_one(history, last, reasons):
    """A jump has to be explained by a listed split, by an earlier judgement, or by trading."""
    assert judge_history(history, last) == Verdict(reasons)


@pytest.mark.parametrize("field", ["open", "high", "low", "close", "adj_close"])
def test_every_price_of_a_bar_counts(field):
    """One bad price in one bar makes the history suspect."""
    history = _history(100.0, 101.0)
    broken = replace(history, bars=(history.bars[0], replace(history.bars[1], **{field: -1.0})))

    assert judge_history(broken, None).reasons == ("price_not_positive",)


def test_reasons_come_once():
    """However many bars are wrong, and however they are found, each reason is given once."""
    wrong = _history(1.0, 100.0, 1.0, opens=[1.0, 100.0, 1.0])

    assert judge_history(wrong, _history(100.0, 100.0, 100.0)).reasons == ("price_jump",)


@pytest.mark.parametrize("ratio", SPLIT_RATIOS)
def test_split_is_recognised_with_an_overnight_move(ratio):
    """Every ratio is found under a move of three percent either way."""
    for move in (0.97, 1.0, 1.03):
        assert split_ratio(100.0, 100.0 / ratio * move) == ratio


@pytest.mark.parametrize("after", [100.0, 90.0, 66.7, 52.5, 47.6, 200.0, 300.0, 150.0, 1.0, 10_000.0])
def test_other_moves_are_no_splits(after):
    """Neither everyday moves nor a third lost, a doubling, or a change of unit are taken for splits."""
    assert split_ratio(100.0, after) is None
