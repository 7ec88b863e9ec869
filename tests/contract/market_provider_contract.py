"""What every market-data source must do, so that callers can change the source without noticing."""

import asyncio
import math
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from shared.market.provider import MarketDataProvider, NotOffered, UnknownSymbol
from shared.market.text import SUMMARY_LENGTH, TITLE_LENGTH, clean_text, clean_url

PLAIN = (str, int, float, bool, date, datetime, type(None))


class MarketProviderContract:
    """Subclass it as ``Test...``, define a ``provider`` fixture, and name things the source really lists.

    Most sources fit one of the two subclasses below.
    """

    known_symbol = "AAPL"
    known_currency = "USD"
    unknown_symbol = "ZZZZ9"
    known_name = "apple"
    nonsense = "qqzzxxy"

    @pytest.fixture
    def provider(self) -> MarketDataProvider:
        raise NotImplementedError("define the provider fixture in the subclass")

    async def test_quote_has_value_currency_and_moment(self, provider):
        """A quote is a finite price in an ISO currency at an aware UTC moment, from the named source."""
        quote = await provider.quote(self.known_symbol)

        assert quote.symbol == self.known_symbol
        assert quote.source == provider.name
        assert quote.name
        assert quote.currency == self.known_currency
        assert math.isfinite(quote.value)
        assert quote.as_of.utcoffset() == timedelta(0)

    async def test_quote_change_agrees_with_previous_close(self, provider):
        """The change and its percentage follow from the two prices, or all three are absent."""
        quote = await provider.quote(self.known_symbol)

        if quote.previous_close is None:
            assert (quote.change, quote.change_percent) == (None, None)
        else:
            assert quote.value == pytest.approx(quote.previous_close + quote.change)
            assert quote.change_percent == pytest.approx(100 * (quote.value / quote.previous_close - 1))

    async def test_history_is_ascending_and_finite(self, provider):
        """A history has bars, oldest first, each day once, each price finite and inside the bar's range."""
        history = await provider.history(self.known_symbol, "3mo", "1d")

        days = [bar.date for bar in history.bars]
        assert days
        assert days == sorted(set(days))
        for bar in history.bars:
            assert all(map(math.isfinite, (bar.open, bar.high, bar.low, bar.close, bar.adj_close)))
            assert bar.low <= min(bar.open, bar.close)
            assert max(bar.open, bar.close) <= bar.high
            assert bar.volume >= 0

    async def test_history_names_its_origin(self, provider):
        """A history says of what, in which currency, from whom and as of when it is."""
        history = await provider.history(self.known_symbol, "1mo", "1d")

        assert history.symbol == self.known_symbol
        assert history.source == provider.name
        assert history.currency == self.known_currency
        assert history.interval == "1d"
        assert history.as_of.utcoffset() == timedelta(0)
        assert history.as_of.date() >= history.bars[-1].date - timedelta(days=1)

    async def test_longer_period_reaches_further_back(self, provider):
        """A longer period starts earlier and ends with the same bar."""
        short = await provider.history(self.known_symbol, "1mo", "1d")
        long = await provider.history(self.known_symbol, "6mo", "1d")

        assert long.bars[0].date < short.bars[0].date
        assert long.bars[-1] == short.bars[-1]

    @pytest.mark.parametrize("interval", ["1wk", "1mo"])
    async def test_longer_interval_has_fewer_bars(self, provider, interval):
        """Weekly and monthly bars cover the same period with fewer, still ascending, bars."""
        daily = await provider.history(self.known_symbol, "6mo", "1d")
        coarse = await provider.history(self.known_symbol, "6mo", interval)

        days = [bar.date for bar in coarse.bars]
        assert coarse.interval == interval
        assert 0 < len(days) < len(daily.bars)
        assert days == sorted(set(days))

    async def test_unknown_symbol_is_told_apart_by_quote(self, provider):
        """A symbol that is not listed raises UnknownSymbol, which names the source."""
        with pytest.raises(UnknownSymbol) as raised:
            await provider.quote(self.unknown_symbol)

        assert raised.value.provider == provider.name

    async def test_unknown_symbol_is_told_apart_by_history(self, provider):
        """The same holds for a history: it is never empty instead."""
        with pytest.raises(UnknownSymbol):
            await provider.history(self.unknown_symbol, "1mo", "1d")

    async def test_search_finds_a_name(self, provider):
        """A part of a name leads to the symbol, whatever its case."""
        for query in (self.known_name.lower(), self.known_name.upper()):
            found = await provider.search(query, 5)

            assert self.known_symbol in [instrument.symbol for instrument in found]
            assert all(instrument.source == provider.name and instrument.name for instrument in found)

    async def test_search_respects_the_limit(self, provider):
        """No more candidates are returned than were asked for."""
        assert len(await provider.search(self.known_name[:1], 1)) <= 1

    async def test_search_for_nonsense_is_empty(self, provider):
        """What the source does not know is an empty result, not an error."""
        assert await provider.search(self.nonsense, 5) == ()

    async def test_fundamentals_of_an_unknown_symbol_do_not_exist(self, provider):
        """There is no empty set of key figures: the symbol is unknown, or the source has none for it."""
        with pytest.raises((UnknownSymbol, NotOffered)) as raised:
            await provider.fundamentals(self.unknown_symbol)

        assert raised.value.provider == provider.name

    async def test_unknown_symbol_has_no_news(self, provider):
        """Headlines about something else are not given instead."""
        (outcome,) = await asyncio.gather(provider.news(self.unknown_symbol, 5), return_exceptions=True)

        assert outcome == () or isinstance(outcome, UnknownSymbol | NotOffered)

    async def test_results_are_frozen_and_plain(self, provider):
        """Results are frozen dataclasses of plain Python values, down to the last bar."""
        _assert_plain(await provider.quote(self.known_symbol))
        _assert_plain(await provider.history(self.known_symbol, "1mo", "1d"))
        for instrument in await provider.search(self.known_name, 5):
            _assert_plain(instrument)

    async def test_aclose_is_idempotent(self, provider):
        """Closing twice is allowed."""
        await provider.aclose()
        await provider.aclose()


class CompanyDataContract(MarketProviderContract):
    """For a source that also has key figures and headlines of ``known_symbol``, at least two of the latter."""

    async def test_fundamentals_name_their_origin(self, provider):
        """Key figures have a currency, an aware UTC moment, a source, a name and at least one figure."""
        found = await provider.fundamentals(self.known_symbol)

        assert (found.symbol, found.source, found.currency) == (self.known_symbol, provider.name, self.known_currency)
        assert found.name
        assert found.as_of.utcoffset() == timedelta(0)
        assert [figure for figure in (found.market_cap, found.price_to_earnings, found.revenue) if figure is not None]
        _assert_plain(found)

    async def test_news_is_sourced_text(self, provider):
        """A headline is clean text with a moment and a source, and its address leads to a website or nowhere."""
        items = await provider.news(self.known_symbol, 10)

        assert items
        for item in items:
            assert item.title == clean_text(item.title, TITLE_LENGTH) != ""
            assert item.summary == clean_text(item.summary, SUMMARY_LENGTH)
            assert item.url == clean_url(item.url)
            assert item.source == provider.name
            assert item.published_at.utcoffset() == timedelta(0)
        _assert_plain(items)

    async def test_news_is_newest_first_and_limited(self, provider):
        """The newest headlines come first, and no more than were asked for."""
        items = await provider.news(self.known_symbol, 10)

        moments = [item.published_at for item in items]
        assert len(moments) > 1
        assert moments == sorted(moments, reverse=True)
        assert await provider.news(self.known_symbol, 1) == items[:1]


class PricesOnlyContract(MarketProviderContract):
    """For a source that has prices and nothing else."""

    async def test_company_data_are_refused(self, provider):
        """The source says so for every symbol, known or not, so that the next source is asked."""
        for symbol in (self.known_symbol, self.unknown_symbol):
            with pytest.raises(NotOffered):
                await provider.fundamentals(symbol)
            with pytest.raises(NotOffered):
                await provider.news(symbol, 5)


def _assert_plain(value: Any, where: str = "result") -> None:
    if isinstance(value, tuple):
        assert type(value) is tuple, where
        for index, item in enumerate(value):
            _assert_plain(item, f"{where}[{index}]")
    elif is_dataclass(value):
        assert type(value).__dataclass_params__.frozen, where
        for field in fields(value):
            _assert_plain(getattr(value, field.name), f"{where}.{field.name}")
    else:
        # Exact types: numpy's and pandas' scalars are subclasses of float and datetime.
        assert type(value) in PLAIN, f"{where} is a {type(value)}"
        assert not (isinstance(value, float) and not math.isfinite(value)), f"{where} is {value}"
