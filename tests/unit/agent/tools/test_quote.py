"""get_quote: a price with everything that belongs to it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.unit.fakes.source import CountingSource, a_market, a_quote


@pytest.fixture
def source() -> CountingSource:
    source = CountingSource()
    source.quotes["AAPL"] = a_quote()
    return source


async def test_behaviour_3_price_has_currency_moment_and_source(look_up):
    """Every fact of a quote says of what, in which currency, from whom and as of when it is."""
    found = await look_up("get_quote", symbol="AAPL")

    assert found.values() == {
        "last_price": 430.47,
        "previous_close": 441.4,
        "change": -10.93,
        "change_percent": -2.4762,
    }
    for fact in found.ledger.facts:
        assert (fact.symbol, fact.source, fact.stale) == ("AAPL", "sample", True)
        assert fact.as_of == datetime(2013, 3, 1, 21, tzinfo=UTC)
    assert [fact.currency for fact in found.ledger.facts] == ["USD", "USD", "USD", None]


async def test_notes_name_the_instrument_and_its_caveat(look_up):
    """The name comes from the source; the sample says that it is one."""
    assert (await look_up("get_quote", symbol="AAPL")).notes == {
        "name": "Apple Inc.",
        "market_state": "closed",
        "exchange": "NMS",
        "warning": "bundled sample data as of 2013-03-01, not current prices",
    }


async def test_fresh_quote_has_no_warning(look_up, source):
    """A live price needs no caveat."""
    found = await look_up("get_quote", a_market(source), symbol="AAPL")

    assert "warning" not in found.notes
    assert found.notes["market_state"] == "open"


async def test_behaviour_4_stale_is_said(look_up, source):
    """A stale price is flagged in the facts and in words, with its date."""
    source.quotes["AAPL"] = replace(a_quote(), stale=True)
    found = await look_up("get_quote", a_market(source), symbol="AAPL")

    assert {fact.stale for fact in found.ledger.facts} == {True}
    assert found.notes["warning"] == "a stale price, the last one is of 2026-06-12"


async def test_absent_values_are_no_facts(look_up, source):
    """Without a previous close there is a price and nothing else."""
    source.quotes["AAPL"] = replace(a_quote(), previous_close=None, change=None, change_percent=None)

    assert [*(await look_up("get_quote", a_market(source), symbol="AAPL")).facts] == ["last_price"]


async def test_zero_change_is_a_fact(look_up, source):
    """Zero is a value, not an absence."""
    source.quotes["AAPL"] = replace(a_quote(), change=0.0, change_percent=0.0)

    assert (await look_up("get_quote", a_market(source), symbol="AAPL")).values()["change"] == 0


async def test_behaviour_10_original_unit_is_kept(look_up, source):
    """A price that was quoted in pence is in pounds, and the note says how it was quoted."""
    source.quotes["VOD.L"] = replace(
        a_quote("VOD.L", 3.3705, currency="GBP"), original_unit="GBp", original_value=337.05
    )
    found = await look_up("get_quote", a_market(source), symbol="VOD.L")

    assert (found.facts["last_price"].currency, found.notes["quoted_in"]) == ("GBP", "GBp")


@pytest.mark.parametrize(("written", "asked"), [("0700.hk", "0700.HK"), ("BRK.B", "BRK-B"), ("7203.T", "7203.T")])
async def test_behaviour_9_suffixes_reach_the_source_unchanged(look_up, source, written, asked):
    """Only a share class is rewritten."""
    await look_up("get_quote", a_market(source), symbol=written)

    assert source.calls[0] == ("quote", asked)


async def test_behaviour_8_unknown_symbol_is_said(look_up):
    """The code tells it apart from an outage."""
    found = await look_up("get_quote", symbol="TSLA")

    assert (found.document["ok"], found.document["error"]["code"], found.ledger.facts) == (
        False,
        "symbol_not_found",
        (),
    )


async def test_digits_of_the_name_may_be_said(look_up, source):
    """3M is a name, not three million."""
    source.quotes["MMM"] = a_quote("MMM", name="3M Company")

    assert "3M Company" in (await look_up("get_quote", a_market(source), symbol="MMM")).ledger.names
