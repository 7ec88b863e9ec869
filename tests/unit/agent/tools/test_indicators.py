"""get_indicators: named readings with their conventions, and what there are too few bars for."""

import pytest

from tests.unit.fakes.ledger import a_checker
from tests.unit.fakes.source import CountingSource, a_history, a_market


@pytest.mark.parametrize("symbol", ["AAPL", "FB", "GOOG", "IBM", "MSFT"])
async def test_default_facts_are_few_and_labelled(look_up, symbol):
    """At most twenty, prices in the currency, indices in points, distances in percent."""
    found = await look_up("get_indicators", symbol=symbol)

    assert 10 <= len(found.ledger.facts) <= 20
    assert found.facts["rsi14"].unit == "points"
    assert found.facts["sma50"].currency == "USD"
    assert found.facts["close_vs_sma50"].unit == "percent"
    assert {fact.symbol for fact in found.ledger.facts} == {symbol}


async def test_eight_indicators_stay_within_twenty_facts(look_up):
    """The largest request that is allowed."""
    names = ["bbands10", "bbands20", "bbands50", "macd", "stoch", "sma50", "ema20", "sma200"]

    assert len((await look_up("get_indicators", symbol="AAPL", names=names)).ledger.facts) <= 20


async def test_values_and_parts_have_their_names(look_up):
    """Main line, parts and distance are told apart by name."""
    values = (await look_up("get_indicators", symbol="AAPL", names=["macd", "bbands20", "sma200"])).values()

    assert values == pytest.approx(
        {
            "macd": -12.7139,
            "macd_signal": -12.2633,
            "macd_histogram": -0.4505,
            "bbands20_upper": 480.3094,
            "bbands20_middle": 455.4920,
            "bbands20_lower": 430.6746,
            "sma200": 575.3454,
            "close_vs_sma200": 100 * (430.47 / 575.3454 - 1),
        },
        abs=2e-4,
    )


async def test_behaviour_15_insufficient_data_are_said(look_up):
    """FB has 196 bars: no SMA200 among the facts, and a note that says why."""
    found = await look_up("get_indicators", symbol="FB")

    assert "sma200" not in found.facts
    assert found.notes["insufficient_data"] == {"sma200": "needs 200 bars, there are 196"}
    assert found.notes["bars_used"] == 196


async def test_behaviour_15_nothing_computable_is_an_error_that_may_be_repeated(look_up):
    """Ten bars give no indicator; the message names them, and passes the check when an answer repeats it."""
    source = CountingSource()
    source.histories["NEW"] = a_history([10.0 + day for day in range(10)], "NEW")
    found = await look_up("get_indicators", a_market(source), symbol="NEW")

    assert found.document["error"] == {
        "code": "insufficient_data",
        "message": "NEW has 10 daily bars, too few for sma50, sma200, rsi14, macd, bbands20, atr14.",
    }
    assert a_checker(ledger=found.ledger).unverified(found.document["error"]["message"]) == []


async def test_levels_of_the_rsi_may_be_said(look_up):
    """30, 50 and 70 are conventions, not facts."""
    found = await look_up("get_indicators", symbol="AAPL")

    assert found.ledger.references == {30, 50, 70}
    assert {30, 50, 70}.isdisjoint(found.values().values())


async def test_sample_says_as_of_when_it_is(look_up):
    """The caveat has the day of the newest bar."""
    notes = (await look_up("get_indicators", symbol="AAPL")).notes

    assert notes["warning"] == "bundled sample data as of 2013-03-01, not current prices"
    assert notes["name"] == "Apple Inc."


async def test_every_reading_has_its_convention(look_up):
    """The model can say how a figure was computed."""
    assert {*(await look_up("get_indicators", symbol="AAPL")).notes["conventions"]} == {
        "sma50",
        "sma200",
        "rsi14",
        "macd",
        "bbands20",
        "atr14",
    }


@pytest.mark.parametrize("names", [[], ["vwap"], ["rsi14"] * 9, "rsi14", [5]])
async def test_bad_names_are_answered(look_up, names):
    """None, unknown, too many, no list, no names."""
    error = (await look_up("get_indicators", symbol="AAPL", names=names)).document["error"]

    assert error["code"] in {"invalid_arguments", "invalid_request"}
