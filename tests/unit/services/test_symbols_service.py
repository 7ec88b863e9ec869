"""Looking things up without a question around it."""

import pytest

from shared.errors import MarketDataUnavailable, SymbolNotFound
from shared.market.provider import ProviderDown, ProviderRateLimited
from shared.market.providers.sample import SampleProvider
from shared.market.symbols import InvalidSymbol
from shared.market.types import Instrument
from shared.services.symbols import SymbolsService
from tests.unit.fakes.source import CountingSource, a_history, a_market, a_quote


@pytest.fixture
def source() -> CountingSource:
    source = CountingSource()
    source.quotes["AAPL"] = a_quote()
    source.quotes["BRK-B"] = a_quote("BRK-B", 400.0, name="Berkshire Hathaway Inc.")
    source.histories["AAPL"] = a_history([100.0 + day for day in range(300)])
    source.listings["apple"] = (Instrument("AAPL", "Apple Inc."),)
    return source


@pytest.fixture
def service(source) -> SymbolsService:
    return SymbolsService(a_market(source))


async def test_symbols_are_normalised_before_they_are_asked_for(service, source):
    """Small letters and a share class reach the source in its form."""
    quotes = [await service.quote("aapl"), await service.quote("brk.b")]

    assert [quote.symbol for quote in quotes] == ["AAPL", "BRK-B"]
    assert source.calls == [("quote", "AAPL"), ("quote", "BRK-B")]


@pytest.mark.parametrize("method", ["quote", "identity"])
async def test_invalid_symbols_cost_no_call(service, source, method):
    """They are refused before anything is asked."""
    with pytest.raises(InvalidSymbol):
        await getattr(service, method)("../x")
    with pytest.raises(InvalidSymbol):
        await service.history("A\n", "1y", "1d")
    with pytest.raises(InvalidSymbol):
        await service.indicators("", ["rsi"])

    assert source.calls == []


async def test_each_symbol_of_a_list_has_its_own_outcome(service):
    """In order; a bad or unknown one does not spoil the others."""
    outcomes = await service.quotes(["AAPL", "ZZZZ9", "../x", "brk-b"])

    assert [type(outcome).__name__ for outcome in outcomes] == ["Quote", "SymbolNotFound", "InvalidSymbol", "Quote"]
    assert isinstance(outcomes[1], SymbolNotFound)
    assert await service.quotes([]) == []


async def test_outage_of_a_list_is_an_outage_of_each(service, source):
    """Nobody is told that the symbols do not exist."""
    source.failure = ProviderDown("first")

    assert {type(outcome) for outcome in await service.quotes(["AAPL", "ZZZZ9"])} == {MarketDataUnavailable}


async def test_identity_comes_with_the_quote(service, source):
    """One call, and the source's own name."""
    identity = await service.identity("AAPL")

    assert (identity.symbol, identity.name, identity.currency, identity.source) == (
        "AAPL",
        "Apple Inc.",
        "USD",
        "first",
    )
    assert source.calls == [("quote", "AAPL")]


async def test_history_and_indicators_share_a_fetch(service, source):
    """Half a year of bars and two indicators are one upstream call."""
    history = await service.history("AAPL", "6mo", "1d")
    report = await service.indicators("AAPL", ["sma50", "rsi"])

    assert source.count["history"] == 1
    assert [reading.name for reading in report.readings] == ["sma50", "rsi14"]
    assert (len(history.bars), len(report.history.bars)) == (183, 300)


async def test_search_is_handed_through(service):
    """With the word whether it is complete."""
    found = await service.search("apple", 5)

    assert ([item.symbol for item in found.candidates], found.complete) == (["AAPL"], True)


async def test_health_follows_the_first_source(source):
    """'Down' while a stand-in answers; codes for the operator; asks nobody."""
    service = SymbolsService(a_market(source, SampleProvider()))
    assert (await service.health_check())[1]["market_data"]["state"] == "ok"
    assert source.calls == []
    source.failure = ProviderRateLimited("first", "10.0.0.7")
    await service.quote("AAPL")

    assert await service.health_check() == (
        True,
        {
            "market_data": {
                "state": "down",
                "required": False,
                "sources": {"first": "rate_limited", "sample": "ok"},
            }
        },
    )
