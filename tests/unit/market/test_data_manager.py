"""Which source is asked, what is kept, and what a failure means."""

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from shared.errors import MarketDataUnavailable, SymbolNotFound
from shared.market.data_manager import SourceHealth
from shared.market.provider import MarketDataError, ProviderDown, ProviderMalformed, ProviderRateLimited, UnknownSymbol
from shared.market.providers.sample import SampleProvider
from shared.market.types import Instrument
from tests.unit.fakes.clock import FakeClock
from tests.unit.fakes.source import CountingSource, a_history, a_market, a_quote

APPLE = Instrument("AAPL", "Apple Inc.")


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture
def first() -> CountingSource:
    source = CountingSource("first")
    source.quotes["AAPL"] = a_quote()
    source.histories["AAPL"] = a_history([100.0 + day / 10 for day in range(900)])
    source.listings["apple"] = (APPLE,)
    return source


@pytest.fixture
def second() -> CountingSource:
    source = CountingSource("second")
    source.quotes["AAPL"] = a_quote(value=170.0)
    source.histories["AAPL"] = a_history([99.0] * 900)
    source.listings["apple"] = (APPLE,)
    return source


@pytest.fixture
def market(first, second, time):
    return a_market(first, second, clock=time.clock)


async def test_first_source_that_answers_decides(market, second):
    """The stand-in is not asked while the first choice works."""
    quote = await market.quote("AAPL")

    assert (quote.source, quote.value) == ("first", 173.93)
    assert second.calls == []


@pytest.mark.parametrize("failure", [ProviderDown("first"), ProviderMalformed("first"), ProviderRateLimited("first")])
async def test_every_kind_of_outage_goes_to_the_next_source(market, first, failure):
    """Down, unreadable and rate limited are the same to the caller: the stand-in answers, under its own name."""
    first.failure = failure

    assert (await market.quote("AAPL")).source == "second"
    assert (await market.history("AAPL")).source == "second"
    assert (await market.search("apple")).complete is False


@pytest.mark.parametrize(
    ("first_fails", "second_fails", "second_knows", "error", "second_asked"),
    [
        (None, None, True, SymbolNotFound, 0),
        (None, ProviderDown, False, SymbolNotFound, 0),
        (ProviderDown, None, False, MarketDataUnavailable, 1),
        (ProviderRateLimited, None, False, MarketDataUnavailable, 1),
        (ProviderMalformed, None, False, MarketDataUnavailable, 1),
        (ProviderDown, ProviderDown, True, MarketDataUnavailable, 1),
        (ProviderDown, ProviderRateLimited, True, MarketDataUnavailable, 1),
    ],
)
async def test_behaviour_8_outage_is_never_an_unknown_symbol(
    market, first, second, first_fails, second_fails, second_knows, error, second_asked
):
    """'Unknown' needs the word of a source with no outage before it; and the second never overrules the first."""
    first.failure = first_fails and first_fails("first")
    second.failure = second_fails and second_fails("second")
    if second_knows:
        second.quotes["TSLA"] = a_quote("TSLA")

    with pytest.raises(error):
        await market.quote("TSLA")
    assert second.count["quote"] == second_asked


async def test_outage_says_nothing_about_the_symbol(market, first, second):
    """The message names the source that is down, keeps the stand-in's own words apart, and no upstream text."""
    first.failure = ProviderDown("first", "refused by 10.0.0.7")
    second.failure = UnknownSymbol("second", "only five are bundled")
    with pytest.raises(MarketDataUnavailable) as raised:
        await market.quote("TSLA")

    assert raised.value.detail == (
        "Market data cannot be reached right now (source: first); this says nothing about the symbol."
        " The stand-in has no data for this: only five are bundled."
    )


async def test_rate_limit_stops_all_further_calls(market, first, time):
    """After one refusal the source is asked nothing until its own time is over, whatever is wanted from it."""
    first.failure = ProviderRateLimited("first", retry_after=90)
    await market.quote("AAPL")
    first.failure = None
    for _ in range(20):
        await market.quote("AAPL")
        await market.history("AAPL")
        await market.search("apple")
        time.advance(4)
    assert first.count["quote"] + first.count["history"] + first.count["search"] == 1
    time.advance(15)

    assert (await market.quote("AAPL")).source == "first"


async def test_rate_limit_without_a_time_pauses_for_a_minute(market, first, second, time):
    """Where the source does not say how long, a minute is the rule; the error carries the waiting time."""
    first.failure, second.failure = ProviderRateLimited("first"), ProviderDown("second")
    with pytest.raises(MarketDataUnavailable) as raised:
        await market.quote("AAPL")

    assert raised.value.retry_after == 60
    time.advance(59)
    with pytest.raises(MarketDataUnavailable):
        await market.quote("AAPL")
    assert first.count["quote"] == 1


async def test_three_failures_in_a_row_open_the_pause(market, first, time):
    """A source that is down costs three calls, then none until it is tried again."""
    first.failure = ProviderDown("first")
    for _ in range(10):
        await market.quote("AAPL")
        time.advance(0.1)
        await market.search(f"apple {_}")

    assert len(first.calls) == 3


async def test_recovered_source_is_asked_again(market, first, time):
    """What a stand-in answered is kept for seconds only, so that the first choice is back soon."""
    first.failure = ProviderDown("first")
    assert (await market.quote("AAPL")).source == "second"
    first.failure = None
    time.advance(14)
    assert (await market.quote("AAPL")).source == "second"
    time.advance(1.5)
    assert (await market.quote("AAPL")).source == "first"
    assert [health.ok for health in market.health()] == [True, True]


async def test_long_lived_data_of_a_stand_in_are_kept_briefly(market, first, time):
    """A history of the stand-in does not stay for the hour that one of the first choice would."""
    first.failure = ProviderDown("first")
    await market.history("AAPL")
    first.failure = None
    time.advance(16)

    assert (await market.history("AAPL")).source == "first"


async def test_price_is_fetched_again_after_its_time(market, first, time):
    """60 seconds from the cache, then a new call."""
    await market.quote("AAPL")
    time.advance(59)
    await market.quote("AAPL")
    assert first.count["quote"] == 1
    time.advance(2)
    await market.quote("AAPL")

    assert first.count["quote"] == 2


async def test_hundred_reads_of_an_unknown_symbol_cost_one_call(market, first, time):
    """The source is asked once for the quote and once for suggestions, and again after five minutes."""
    for _ in range(100):
        with pytest.raises(SymbolNotFound):
            await market.quote("ZZZZ9")
        time.advance(2)
    assert (first.count["quote"], first.count["search"]) == (1, 1)
    time.advance(101)
    with pytest.raises(SymbolNotFound):
        await market.quote("ZZZZ9")

    assert first.count["quote"] == 2


async def test_fifty_concurrent_reads_cost_one_call(market, first):
    """A burst for one symbol is one upstream request."""
    first.held.clear()
    tasks = [asyncio.create_task(market.quote("AAPL")) for _ in range(50)]
    while not first.calls:
        await asyncio.sleep(0)
    first.held.set()

    assert len({quote.value for quote in await asyncio.gather(*tasks)}) == 1
    assert first.count["quote"] == 1


async def test_unknown_symbol_comes_with_suggestions(market, first):
    """Near matches are offered, the symbol itself is not."""
    first.listings["aapll"] = (APPLE, Instrument("AAPLL", "x"), Instrument("APLE", "Apple Hospitality"))
    with pytest.raises(SymbolNotFound) as raised:
        await market.quote("AAPLL")

    assert raised.value.suggestions == ("AAPL", "APLE")


async def test_suggestions_are_not_worth_an_outage(market, first, second):
    """When the search fails, the symbol is still unknown, without suggestions."""

    async def down(query: str, limit: int):
        raise ProviderDown("first")

    first.search = second.search = down
    with pytest.raises(SymbolNotFound) as raised:
        await market.quote("ZZZZ9")

    assert raised.value.suggestions == ()


async def test_one_fetch_serves_every_range_of_two_years(market, first):
    """A month, half a year and a year are cut from the same bars; five years are another fetch."""
    lengths = [len((await market.history("AAPL", period)).bars) for period in ("1mo", "6mo", "1y", "2y", "5d", "ytd")]

    assert first.calls == [("history", "AAPL", "2y", "1d")]
    assert lengths == [32, 183, 366, 731, 5, 163]
    await market.history("AAPL", "5y")
    assert first.count["history"] == 2


async def test_other_intervals_are_fetched_as_asked(market, first):
    """Weekly bars cannot be cut from daily ones here, so range and interval go to the source."""
    await market.history("AAPL", "1y", "1wk")
    await market.history("AAPL", "6mo", "1wk")

    assert first.calls == [("history", "AAPL", "1y", "1wk"), ("history", "AAPL", "6mo", "1wk")]


async def test_search_ignores_case_and_is_kept(market, first):
    """The second spelling costs no call."""
    await market.search("Apple")
    found = await market.search("APPLE")

    assert (found.candidates, found.complete, first.count["search"]) == ((APPLE,), True, 1)


async def test_search_fails_only_when_no_source_can_be_asked(market, first, second):
    """Empty is an answer; an outage of all is an error."""
    assert (await market.search("nobody")).candidates == ()
    first.failure, second.failure = ProviderDown("first"), ProviderDown("second")

    with pytest.raises(MarketDataUnavailable):
        await market.search("somebody")


async def test_health_tells_what_the_last_calls_said(market, first):
    """Asks nobody; a failure is remembered by its code until the next success."""
    assert market.health() == (SourceHealth("first", ok=True, last_error=None), SourceHealth("second", True, None))
    first.failure = ProviderRateLimited("first", "slow down, 10.0.0.7")
    await market.quote("AAPL")

    assert market.health()[0] == SourceHealth("first", ok=False, last_error="rate_limited")
    assert first.count["quote"] == 1


@pytest.mark.parametrize(
    ("failure", "code"),
    [(ProviderDown("f"), "unreachable"), (ProviderMalformed("f"), "malformed"), (MarketDataError("f"), "malformed")],
)
async def test_health_code_of_each_failure(market, first, failure, code):
    """Codes, not messages."""
    first.failure = failure
    await market.quote("AAPL")

    assert code == market.health()[0].last_error


async def test_unknown_symbol_is_a_healthy_answer(market, first):
    """A source that says no works."""
    for number in range(5):
        with pytest.raises(SymbolNotFound):
            await market.quote(f"ZZZ{number}")

    assert market.health()[0].ok


async def test_caveat_of_the_sample_names_the_reason(first):
    """Alone it is the sample; as a stand-in it says who is missing; a live source needs no caveat."""
    alone, behind = a_market(SampleProvider()), a_market(first, SampleProvider())
    day = date(2013, 3, 1)

    assert alone.caveat("sample", day) == "bundled sample data as of 2013-03-01, not current prices"
    assert behind.caveat("sample", day) == (
        "bundled sample data as of 2013-03-01, not current prices, because first cannot be reached right now"
    )
    assert behind.caveat("first", day) is None


async def test_coverage_is_said_where_it_is_narrow(first):
    """Only the sample alone limits what can be asked for."""
    assert a_market(SampleProvider()).coverage == "only the bundled sample is configured: AAPL, FB, GOOG, IBM and MSFT"
    assert a_market(first, SampleProvider()).coverage is None


async def test_outage_names_the_sources_that_fail(market, first):
    """The error for 'known too little' names who cannot be asked, and the caller's own words."""
    first.failure = ProviderDown("first")
    await market.quote("AAPL")

    assert market.outage(" Sorry.").detail == "first cannot be reached right now. Sorry. Try again in a moment."


async def test_closing_closes_every_source(market, first, second):
    """Threads and connections of all sources are released."""
    await market.aclose()

    assert (first.calls, second.calls) == ([("aclose",)], [("aclose",)])


async def test_results_are_not_mixed(market, first, time):
    """After a failure the quote is the stand-in's as a whole."""
    first.failure = ProviderDown("first")
    quote = await market.quote("AAPL")

    assert quote == replace(a_quote(value=170.0), source="second")
