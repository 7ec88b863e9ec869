"""get_history_summary: what a series amounts to, in at most twenty labelled figures."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from shared.market.types import Split
from tests.unit.fakes.source import CountingSource, a_history, a_market


@pytest.mark.parametrize("symbol", ["AAPL", "FB", "GOOG", "IBM", "MSFT"])
@pytest.mark.parametrize("period", ["1mo", "3mo", "6mo", "ytd", "1y", "2y", "5y"])
async def test_facts_are_few_and_labelled(look_up, symbol, period):
    """At most twenty, each name once, all of one symbol and source, with units."""
    found = await look_up("get_history_summary", symbol=symbol, period=period)

    assert 10 <= len(found.ledger.facts) <= 20
    assert len(found.facts) == len(found.ledger.facts)
    assert {(fact.symbol, fact.source) for fact in found.ledger.facts} == {(symbol, "sample")}
    assert {fact.unit for fact in found.ledger.facts} <= {"USD", "percent", "bars", "shares"}


async def test_behaviour_12_price_and_total_return_are_labelled(look_up):
    """The whole shipped series: +4.68 % in price, +6.22 % with dividends, closes as traded."""
    values = (await look_up("get_history_summary", symbol="AAPL", period="2y")).values()

    assert (values["first_close"], values["last_close"]) == (411.23, 430.47)
    assert (values["price_return_2y"], values["total_return_2y"]) == (4.6786, 6.2226)
    assert values["bars"] == 291


async def test_adjusted_closes_are_never_a_fact(look_up):
    """An adjusted close is no price that anybody has paid."""
    from shared.market.providers.sample import SampleProvider

    bars = (await SampleProvider().history("AAPL", "1y", "1d")).bars
    values = (await look_up("get_history_summary", symbol="AAPL")).values()

    assert round(bars[0].adj_close, 4) not in values.values()
    assert values["first_close"] == bars[0].close


async def test_extremes_have_their_own_moments(look_up):
    """The highest close of the year, as of the close of its day in New York."""
    found = await look_up("get_history_summary", symbol="AAPL")

    assert (found.facts["highest_close"].value, found.facts["highest_close"].as_of) == (
        702.1,
        datetime(2012, 9, 19, 20, 0, tzinfo=UTC),
    )
    assert found.facts["last_close"].as_of == datetime(2013, 3, 1, 21, 0, tzinfo=UTC)


async def test_distances_agree_with_the_extremes(look_up):
    """How far below the highest and above the lowest close the last one stands."""
    values = (await look_up("get_history_summary", symbol="AAPL")).values()

    assert values["below_highest_close"] == pytest.approx(
        100 * (1 - values["last_close"] / values["highest_close"]), abs=1e-4
    )
    assert values["above_lowest_close"] == pytest.approx(
        100 * (values["last_close"] / values["lowest_close"] - 1), abs=1e-4
    )


async def test_risk_figures_of_the_shipped_year(look_up):
    """Volatility, largest fall and mean volume of the year, each under its name."""
    values = (await look_up("get_history_summary", symbol="AAPL")).values()

    assert (round(values["annualised_volatility"], 2), round(values["max_drawdown"], 2)) == (32.87, -38.05)
    assert values["average_volume_20d"] == 17_672_290


async def test_shorter_windows_only_inside_the_period(look_up):
    """A period of three months has a one-month return, and none of half a year."""
    values = (await look_up("get_history_summary", symbol="AAPL", period="3mo")).values()

    assert {name for name in values if name.startswith("price_return")} == {"price_return_3mo", "price_return_1m"}


async def test_notes_give_the_windows_and_conventions(look_up):
    """The days that the figures span, and what they include."""
    found = await look_up("get_history_summary", symbol="FB")

    assert found.notes["window"] == ["2012-05-18", "2013-03-01"]
    assert found.notes["max_drawdown_window"] == ["2012-05-18", "2012-09-04"]
    assert found.notes["warning"].startswith("bundled sample data as of 2013-03-01")
    assert {date(2012, 5, 18), date(2012, 9, 4), date(2013, 3, 1)} <= found.ledger.dates


async def test_short_series_has_no_volatility(look_up):
    """Fewer than twenty returns say nothing about a year."""
    source = CountingSource()
    source.histories["NEW"] = a_history([10.0, 11, 12], "NEW")

    assert "annualised_volatility" not in (await look_up("get_history_summary", a_market(source), symbol="NEW")).facts


async def test_series_without_volume_has_no_volume(look_up):
    """An index has none, and zero shares would be wrong."""
    source = CountingSource()
    history = a_history([10.0] * 30, "^GSPC")
    source.histories["^GSPC"] = replace(history, bars=tuple(replace(bar, volume=0) for bar in history.bars))

    assert "average_volume_20d" not in (await look_up("get_history_summary", a_market(source), symbol="^GSPC")).facts


async def test_one_bar_is_a_summary_of_one_day(look_up):
    """Nothing divides by a missing neighbour."""
    source = CountingSource()
    source.histories["NEW"] = a_history([10.0], "NEW")
    values = (await look_up("get_history_summary", a_market(source), symbol="NEW")).values()

    assert (values["bars"], values["price_return_1y"], values["max_drawdown"]) == (1, 0, 0)


async def test_behaviour_13_splits_are_mentioned(look_up):
    """A split inside the window is in the notes."""
    source = CountingSource()
    source.histories["AAPL"] = replace(a_history([10.0] * 30), splits=(Split(date(2026, 6, 1), 20.0),))

    assert (await look_up("get_history_summary", a_market(source), symbol="AAPL")).notes["splits"] == [
        "20 for 1 on 2026-06-01"
    ]


@pytest.mark.parametrize("period", ["10y", "max", "1d", "", None])
async def test_other_periods_are_refused(look_up, period):
    """The model is told, nothing is fetched."""
    assert (await look_up("get_history_summary", symbol="AAPL", period=period)).document["error"]["code"] == (
        "invalid_arguments"
    )
