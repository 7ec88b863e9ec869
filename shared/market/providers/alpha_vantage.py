"""Alpha Vantage: stands in for a few quotes and overviews a day; a free key has 25 requests, one a second."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.clock import SYSTEM_CLOCK, Clock
from shared.market.periods import latest, resample
from shared.market.provider import MarketDataError, NotOffered, ProviderDown, ProviderMalformed, UnknownSymbol
from shared.market.providers import alpha_vantage_payloads as payloads
from shared.market.providers.alpha_vantage_company import fundamentals_of, news_of
from shared.market.providers.alpha_vantage_notices import BURST_PAUSE_S, NEWS, notice_in, refusal
from shared.market.providers.alpha_vantage_payloads import Listing
from shared.market.providers.alpha_vantage_symbols import SOURCE, listed_as, market_of
from shared.market.providers.alpha_vantage_wire import AlphaVantageWire
from shared.market.text import clean_text
from shared.market.types import Fundamentals, History, HistoryRange, Instrument, Interval, NewsItem, Quote

_log = logging.getLogger(__name__)

_REMEMBERED_LISTINGS = 1000
_QUOTED_LENGTH = 200


class AlphaVantageProvider:
    """``MarketDataProvider`` over the REST interface.

    Each call is one request and is never repeated, except that the first price of a foreign symbol costs a second one:
    prices come without a currency, and only a US symbol implies it. ``timeout_s`` bounds a call from the outside,
    waiting for its turn included: requests start ``min_interval_s`` apart, 0 for a paid key. A provider belongs to one
    event loop.

    History is what a free key gets: the newest 100 daily bars, whatever the period, as traded and without dividends
    (``History.adjusted`` is false); longer intervals are made from those bars.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str = "https://www.alphavantage.co",
        timeout_s: float = 3.0,
        min_interval_s: float = BURST_PAUSE_S,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not api_key.strip():
            raise ValueError("api_key is empty: leave Alpha Vantage out of the list of sources instead.")
        self._wire = AlphaVantageWire(
            api_key=api_key, base_url=base_url, timeout_s=timeout_s, min_interval_s=min_interval_s, clock=clock
        )
        self._timeout_s = timeout_s
        self._clock = clock
        self._listings: dict[str, Listing] = {}

    @property
    def name(self) -> str:
        return SOURCE

    async def quote(self, symbol: str) -> Quote:
        """The close of the latest trading day, or a price delayed by what the plan of the key allows."""
        return await self._within("quote", self._quote(symbol))

    async def history(self, symbol: str, period: HistoryRange, interval: Interval) -> History:
        """At most the newest 100 days of ``period``."""
        return await self._within("history", self._history(symbol, period, interval))

    async def search(self, query: str, limit: int) -> tuple[Instrument, ...]:
        """``prominence`` is how well the text matches, 0 to 1, not how well known the company is."""
        return await self._within("search", self._search(query, limit))

    async def fundamentals(self, symbol: str) -> Fundamentals:
        """US companies; funds, foreign listings and unknown symbols all raise NotOffered."""
        return await self._within("fundamentals", self._fundamentals(symbol))

    async def news(self, symbol: str, limit: int) -> tuple[NewsItem, ...]:
        """Raises NotOffered for symbols whose news is not followed, which includes unknown ones."""
        return await self._within("news", self._news(symbol, limit))

    async def aclose(self) -> None:
        await self._wire.aclose()

    async def _within[T](self, operation: str, work: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await work
        except MarketDataError as error:
            failure = error
        except TimeoutError:
            failure = ProviderDown(SOURCE, f"no answer within {self._timeout_s:g} s")
        level = logging.INFO if isinstance(failure, UnknownSymbol | NotOffered) else logging.WARNING
        _log.log(level, "alpha_vantage %s failed: %s (%s)", operation, type(failure).__name__, failure.detail)
        # Raised outside the handlers, so that no context hangs on it.
        raise failure

    async def _quote(self, symbol: str) -> Quote:
        body = await self._ask("GLOBAL_QUOTE", symbol=listed_as(symbol))
        last = _parsed(lambda: payloads.last_price_of(symbol, body))
        return payloads.quote_of(symbol, last, await self._listing(symbol), self._now())

    async def _history(self, symbol: str, period: HistoryRange, interval: Interval) -> History:
        body = await self._ask("TIME_SERIES_DAILY", symbol=listed_as(symbol), outputsize="compact")
        bars = _parsed(lambda: payloads.daily_bars_of(symbol, body))
        daily = latest(payloads.history_of(symbol, bars, await self._listing(symbol), self._now()), period)
        return replace(daily, interval=interval, bars=resample(daily.bars, interval))

    async def _search(self, query: str, limit: int) -> tuple[Instrument, ...]:
        body = await self._ask("SYMBOL_SEARCH", keywords=query)
        found = _parsed(lambda: payloads.matches_of(body))
        for instrument, listing in found:
            self._remember(instrument.symbol, listing)
        return tuple(instrument for instrument, _ in found[:limit])

    async def _fundamentals(self, symbol: str) -> Fundamentals:
        body = await self._ask("OVERVIEW", symbol=listed_as(symbol))
        return _parsed(lambda: fundamentals_of(symbol, body, self._now()))

    async def _news(self, symbol: str, limit: int) -> tuple[NewsItem, ...]:
        body = await self._ask(NEWS, tickers=listed_as(symbol), sort="LATEST")
        return _parsed(lambda: news_of(body, limit))

    async def _listing(self, symbol: str) -> Listing:
        """Name and currency: remembered from a search, implied by a US symbol, or looked up."""
        market = market_of(symbol)
        if symbol not in self._listings and market is not None and market.unit is not None:
            return Listing(symbol, market.unit)
        if symbol not in self._listings:
            await self._search(listed_as(symbol), 0)
        if symbol not in self._listings:
            raise ProviderMalformed(SOURCE, "a price without a currency")
        return self._listings[symbol]

    def _remember(self, symbol: str, listing: Listing) -> None:
        if len(self._listings) >= _REMEMBERED_LISTINGS:
            self._listings.pop(next(iter(self._listings)))
        self._listings[symbol] = listing

    async def _ask(self, function: str, **parameters: str) -> Any:
        """The data of one request; a notice that stands in for them is raised as what it means."""
        body = await self._wire.get(function, **parameters)
        match notice_in(function, body):
            case None:
                return body
            case "no_news", _:
                return {"feed": []}
            case kind, words:
                if kind == "unknown_notice":
                    # The one case in which the words are needed: somebody has to teach us what they mean.
                    _log.warning("alpha_vantage says: %s", clean_text(self._wire.redact(words), _QUOTED_LENGTH))
                raise refusal(kind, words, self._now())

    def _now(self) -> datetime:
        return self._clock.now()


def _parsed[T](parse: Callable[[], T]) -> T:
    """What ``parse`` makes of an answer; whatever does not fit it is an answer of unexpected shape."""
    try:
        return parse()
    except MarketDataError:
        raise
    except Exception:  # noqa: BLE001 - any value can be of any type, and no text of it may get into an error
        failure = ProviderMalformed(SOURCE, "answer of unexpected shape")
    raise failure
