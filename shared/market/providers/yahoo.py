"""Yahoo Finance through yfinance: the widest free coverage, behind a deadline because the library itself has none."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from types import ModuleType
from typing import Any, cast
from urllib.parse import quote

from shared.clock import SYSTEM_CLOCK, Clock
from shared.market.provider import ProviderBusy, ProviderDown, ProviderMalformed, UnknownSymbol
from shared.market.providers import yahoo_library as library
from shared.market.providers.yahoo_company import MODULES, fundamentals_of, news_of
from shared.market.providers.yahoo_payloads import history_of, instruments_of, listing_of, quote_of, rows_of
from shared.market.providers.yahoo_workers import PoolFull, WorkerPool
from shared.market.types import Fundamentals, History, HistoryRange, Instrument, Interval, NewsItem, Quote

_QUOTE_PERIOD = "5d"
"""Long enough to hold the previous close after a long weekend; costs the same single request as one day."""

_COMPANY_URL = "https://query2.finance.yahoo.com/v10/finance/quoteSummary/"

_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")


class YahooProvider:
    """``MarketDataProvider`` over yfinance.

    ``timeout_s`` bounds a call from the outside, waiting for a thread included; the first call of a process gets
    ``first_call_timeout_s`` because it may have to import the library and fetch a cookie and a crumb. A call given up
    on keeps its thread until the library returns, which can take a minute; with all of ``max_workers`` threads taken
    and as many calls waiting, further calls raise ProviderDown at once.
    """

    def __init__(
        self,
        *,
        timeout_s: float = 3.0,
        first_call_timeout_s: float = 8.0,
        max_workers: int = 8,
        proxy_url: str | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._timeout_s = timeout_s
        self._first_call_timeout_s = first_call_timeout_s
        self._proxy_url = proxy_url
        self._clock = clock
        self._pool = WorkerPool(
            size=max_workers, backlog=max_workers, name="yahoo", on_thread_end=library.release_thread
        )
        self._first_call_over = False

    @property
    def name(self) -> str:
        return library.NAME

    async def warm(self) -> None:
        """Import the library in a worker thread, without network; raises ProviderDown when that is impossible."""
        await self._in_worker("warm", lambda _: None, timeout_s=None)

    async def quote(self, symbol: str) -> Quote:
        """The market price with its own time; one request, and one more for a symbol's first time in the process."""
        _refuse_isin(symbol)
        return await self._call("quote", lambda yf: self._quote(yf, symbol))

    async def history(self, symbol: str, period: HistoryRange, interval: Interval) -> History:
        """Raw and adjusted prices; Yahoo's raw prices already account for splits. Costs the requests of a quote."""
        _refuse_isin(symbol)
        return await self._call("history", lambda yf: self._history(yf, symbol, period, interval))

    async def search(self, query: str, limit: int) -> tuple[Instrument, ...]:
        """One request; currency and time zone of a candidate are None, Yahoo's search does not tell them."""
        return await self._call("search", lambda yf: self._search(yf, query, limit))

    async def fundamentals(self, symbol: str) -> Fundamentals:
        """One request. An index or a currency is refused with NotOffered when Yahoo states no figure about it."""
        _refuse_isin(symbol)
        return await self._call("fundamentals", lambda yf: self._fundamentals(yf, symbol))

    async def news(self, symbol: str, limit: int) -> tuple[NewsItem, ...]:
        """One request. Yahoo has no news of a symbol that does not exist; that is not told apart from no news."""
        _refuse_isin(symbol)
        return await self._call("news", lambda yf: self._news(yf, symbol, limit))

    async def aclose(self) -> None:
        self._pool.close()

    async def _call[T](self, operation: str, job: Callable[[ModuleType], T]) -> T:
        warm = self._first_call_over and library.is_loaded()
        try:
            return await self._in_worker(operation, job, self._timeout_s if warm else self._first_call_timeout_s)
        finally:
            self._first_call_over = True

    async def _in_worker[T](self, operation: str, job: Callable[[ModuleType], T], timeout_s: float | None) -> T:
        try:
            future = self._pool.submit(lambda: library.call(operation, job, self._proxy_url))
        except PoolFull:
            raise ProviderBusy(self.name, "no worker is free") from None
        try:
            async with asyncio.timeout(timeout_s):
                return cast("T", await asyncio.wrap_future(future))
        except TimeoutError:
            raise ProviderDown(self.name, f"no answer within {timeout_s:g} s") from None

    def _quote(self, yf: ModuleType, symbol: str) -> Quote:
        ticker = yf.Ticker(symbol)
        frame = ticker.history(period=_QUOTE_PERIOD, auto_adjust=False, timeout=self._timeout_s)
        if frame.empty:
            raise _empty()
        return quote_of(symbol, rows_of(frame), listing_of(ticker.get_history_metadata(), symbol), self._now())

    def _history(self, yf: ModuleType, symbol: str, period: HistoryRange, interval: Interval) -> History:
        ticker = yf.Ticker(symbol)
        frame = ticker.history(period=period, interval=interval, auto_adjust=False, timeout=self._timeout_s)
        if frame.empty:
            raise _empty()
        listing = listing_of(ticker.get_history_metadata(), symbol)
        return history_of(symbol, interval, rows_of(frame), listing, self._now())

    def _search(self, yf: ModuleType, query: str, limit: int) -> tuple[Instrument, ...]:
        search = yf.Search(
            query, max_results=limit, news_count=0, lists_count=0, recommended=0, timeout=self._timeout_s
        )
        return instruments_of(search.response, limit)

    def _fundamentals(self, yf: ModuleType, symbol: str) -> Fundamentals:
        query = {"modules": ",".join(MODULES), "formatted": "false", "corsDomain": "finance.yahoo.com"}
        url = _COMPANY_URL + quote(symbol, safe="")
        answer = yf.data.YfData().get_raw_json(url, params=query, timeout=self._timeout_s)
        return fundamentals_of(symbol, answer, self._now())

    def _news(self, yf: ModuleType, symbol: str, limit: int) -> tuple[NewsItem, ...]:
        ticker = yf.Ticker(symbol)
        ticker._data = wire = _NewsWire(ticker._data, self._timeout_s)  # there is no public seam
        ticker.get_news(count=limit)
        return news_of(wire.answer(), limit)

    def _now(self) -> datetime:
        return self._clock.now()


class _NewsWire:
    """Stands between ``get_news`` and the HTTP client: the library calls every error in JSON an empty list of news."""

    def __init__(self, data: Any, timeout_s: float) -> None:
        self._data = data
        self._timeout_s = timeout_s
        self._response: Any = None

    def post(self, url: str, body: Any = None) -> Any:
        self._response = self._data.post(url, body=body, timeout=self._timeout_s)
        return self._response

    def answer(self) -> Any:
        # Whatever the status, it says nothing about the symbol, which is not in the address.
        if self._response.status_code >= 400:
            raise ProviderDown(library.NAME, f"HTTP status {self._response.status_code}")
        return self._response.json()


def _empty() -> ProviderMalformed:
    # An outage and a range without trading look the same here, so this must not say "unknown symbol".
    return ProviderMalformed(library.NAME, "empty price table")


def _refuse_isin(symbol: str) -> None:
    # yfinance would look the number up and answer for a symbol that nobody asked for.
    if _ISIN.fullmatch(symbol):
        raise UnknownSymbol(library.NAME, "an ISIN is not a symbol")
