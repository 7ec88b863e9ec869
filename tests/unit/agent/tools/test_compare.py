"""compare: several instruments over the one window that all of them cover."""

import itertools
from dataclasses import replace

import pytest

from shared.market.provider import ProviderDown
from tests.unit.fakes.source import CountingSource, a_history, a_market


async def test_common_window_begins_with_the_youngest(look_up):
    """FB is listed since May 2012, so both are compared from there."""
    found = await look_up("compare", symbols=["AAPL", "FB"], period="2y")

    assert found.notes["windows"] == {"AAPL": ["2012-05-18", "2013-03-01"], "FB": ["2012-05-18", "2013-03-01"]}
    assert found.notes["names"] == {"AAPL": "Apple Inc.", "FB": "Facebook, Inc."}


async def test_caveat_of_the_one_source_is_said(look_up):
    """The sample's, with its day; a live source has none."""
    source = CountingSource()
    for symbol in ("AAA", "BBB"):
        source.histories[symbol] = a_history([5.0] * 30, symbol)
    live = await look_up("compare", a_market(source), symbols=["AAA", "BBB"])

    assert (await look_up("compare", symbols=["AAPL", "FB"])).notes["warning"] == (
        "bundled sample data as of 2013-03-01, not current prices"
    )
    assert "warning" not in live.notes


async def test_spread_is_the_difference_of_the_total_returns(look_up):
    """In percentage points, computed here and not by the model."""
    found = await look_up("compare", symbols=["AAPL", "MSFT"])
    totals = {fact.symbol: fact.value for fact in found.ledger.facts if fact.name == "common_window_total_return"}

    assert found.facts["total_return_minus_MSFT"].value == pytest.approx(totals["AAPL"] - totals["MSFT"], abs=2e-4)
    assert found.facts["total_return_minus_MSFT"].unit == "percentage_points"


@pytest.mark.parametrize("size", [2, 3, 4, 5])
async def test_facts_are_percentages_and_at_most_twenty_one(look_up, size):
    """No price of one stands beside a price of another; four figures each, and one spread for two."""
    for symbols in itertools.combinations(["AAPL", "FB", "GOOG", "IBM", "MSFT"], size):
        found = await look_up("compare", symbols=list(symbols))
        assert len(found.ledger.facts) == 4 * size + (size == 2)
        assert {fact.kind for fact in found.ledger.facts} == {"percent"}


async def test_same_symbol_twice_is_one(look_up):
    """Two spellings of one symbol are no comparison, and no crash."""
    found = await look_up("compare", symbols=["AAPL", "aapl"])

    assert found.document["ok"]
    assert {fact.symbol for fact in found.ledger.facts} == {"AAPL"}


@pytest.mark.parametrize("symbols", [[], ["AAPL"], ["A", "B", "C", "D", "E", "F"], ["AAPL", "../x"], "AAPL"])
async def test_wrong_lists_are_refused(look_up, symbols):
    """Two to five valid symbols."""
    assert (await look_up("compare", symbols=symbols)).document["error"]["code"] == "invalid_arguments"


async def test_unknown_symbol_fails_the_comparison(look_up):
    """It is named; nothing is compared with a hole."""
    error = (await look_up("compare", symbols=["AAPL", "TSLA"])).document["error"]

    assert error["code"] == "symbol_not_found"
    assert "'TSLA'" in error["message"]


async def test_windows_that_do_not_meet_are_insufficient(look_up):
    """A series that ended before the other began has no common window with it."""
    source = CountingSource()
    source.histories["OLD"] = a_history([1.0] * 400, "OLD")
    old = source.histories["OLD"]
    source.histories["OLD"] = replace(old, bars=old.bars[:10])
    source.histories["NEW"] = a_history([1.0] * 10, "NEW")

    error = (await look_up("compare", a_market(source), symbols=["OLD", "NEW"])).document["error"]
    assert error == {
        "code": "insufficient_data",
        "message": "OLD, NEW have no common window of at least two trading days.",
    }


async def test_different_sources_are_said(look_up):
    """Series of two sources may be compared, but not silently."""
    first, second = CountingSource("first"), CountingSource("second")
    first.histories["AAA"] = a_history([1.0] * 30, "AAA")
    second.histories["BBB"] = a_history([1.0] * 30, "BBB")
    fetch = first.history

    async def flaky(symbol, period, interval):
        if symbol == "BBB":
            raise ProviderDown("first")
        return await fetch(symbol, period, interval)

    first.history = flaky
    found = await look_up("compare", a_market(first, second), symbols=["AAA", "BBB"])

    assert found.notes["warning"] == "the series come from different sources: first, second"


async def test_flat_series_have_no_volatility_and_no_fall(look_up):
    """Zeros, not exceptions."""
    source = CountingSource()
    for symbol in ("AAA", "BBB"):
        source.histories[symbol] = a_history([5.0] * 30, symbol)
    values = (await look_up("compare", a_market(source), symbols=["AAA", "BBB"])).values()

    assert {*values.values()} == {0}
