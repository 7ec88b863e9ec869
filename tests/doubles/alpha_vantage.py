"""Alpha Vantage on loopback: one path, status 200 for everything, and refusals that are sentences.

Start it by hand with ``python -m tests.doubles.alpha_vantage`` and give the application the printed address.
"""

import argparse
import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict
from urllib.parse import parse_qsl, urlsplit

from tests.doubles.openai_http import Connection, HttpDouble, Request
from tests.doubles.yahoo_listings import DayBar, Listing, default_listings

type Json = dict[str, Any]

COMPACT = 100
PREMIUM_URL = "https://www.alphavantage.co/premium/"
# As quoted in public bug reports and test suites of 2023 to 2026; {key} stands for the key, which the first one echoes.
NOTICES: dict[str, Json] = {
    "daily_limit": {
        "Information": "We have detected your API key as {key} and our standard API rate limit is 25 requests per day. "
        f"Please subscribe to any of the premium plans at {PREMIUM_URL} to instantly remove all daily rate limits."
    },
    "burst_limit": {
        "Information": "Thank you for using Alpha Vantage! Please consider spreading out your free API requests more "
        f"sparingly (1 request per second). You may subscribe to any of the premium plans at {PREMIUM_URL} to lift the "
        "free key rate limit (25 requests per day), raise the per-second burst limit, and instantly unlock all premium "
        "endpoints"
    },
    "minute_limit": {
        "Note": "Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute and 500 "
        f"calls per day. Please visit {PREMIUM_URL} if you would like to target a higher API call frequency."
    },
    "premium": {
        "Information": "Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any of the "
        f"premium plans at {PREMIUM_URL} to instantly unlock all premium endpoints"
    },
    "bad_key": {
        "Error Message": "the parameter apikey is invalid or missing. Please claim your free API key on "
        "(https://www.alphavantage.co/support/#api-key). It should take less than 20 seconds."
    },
    "bad_call": {
        "Error Message": "Invalid API call. Please retry or visit the documentation "
        "(https://www.alphavantage.co/documentation/) for {function}."
    },
    "no_news": {
        "Information": "No articles found. Please adjust the time range or refer to the API documentation "
        "https://www.alphavantage.co/documentation#newsapi and try again."
    },
    "not_followed": {
        "Information": "Invalid inputs. Please refer to the API documentation "
        "https://www.alphavantage.co/documentation#newsapi and try again."
    },
    "unknown_notice": {"Information": "The servers of {key} are on holiday."},
}


class Fault(TypedDict, total=False):
    """What goes wrong with the next ``times`` requests (default 1) of a function.

    ``notice`` names one of ``NOTICES``; ``body`` is sent as it is, with ``status`` and ``headers``; ``drop`` cuts the
    connection, ``hang`` never answers, and ``endless`` answers without end.
    """

    notice: str
    body: str
    status: int
    headers: dict[str, str]
    drop: bool
    hang: bool
    endless: bool
    times: int


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it was seen; ``query`` has the key in it."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def function(self) -> str:
        return self.query.get("function", "")


class AlphaVantageDouble(HttpDouble):
    """``key`` is the only valid one, None accepts any. ``faults`` maps a function, or "*", to a ``Fault``.

    After ``per_day`` answers comes the daily text; a request less than ``min_interval_s`` after the last one by
    ``monotonic`` gets the burst text (0: never). ``delayed`` makes quotes those of a delayed-data plan. Listings are
    those of the Yahoo double under Alpha Vantage's symbols, as traded.
    """

    def __init__(
        self, *, now: datetime | None = None, key: str | None = None, per_day: int = 25, port: int = 0
    ) -> None:
        super().__init__(port)
        self.now = now or datetime.now(UTC)
        self.key = key
        self._per_day = per_day
        self._listings = {item.symbol: item for item in _listings(self.now)}
        self.monotonic: Callable[[], float] = time.monotonic
        self.reset()

    def reset(self) -> None:
        self.calls: list[Call] = []
        self.faults: dict[str, Fault] = {}
        self.listings = dict(self._listings)
        self.overviews: dict[str, Json] = {}
        self.feeds: dict[str, list[Json]] = {}
        self.per_day = self._per_day
        self.min_interval_s = 0.0
        self.delayed = False
        self._last_request = float("-inf")

    @property
    def base_url(self) -> str:
        return self.url

    @property
    def functions(self) -> list[str]:
        return [call.function for call in self.calls]

    @property
    def count(self) -> Counter[str]:
        return Counter(self.functions)

    async def respond(self, request: Request, connection: Connection) -> None:
        url = urlsplit(request.path)
        call = Call(url.path, dict(parse_qsl(url.query)), request.headers)
        self.calls.append(call)
        self.record()
        fault = self._fault(call.function)
        if fault.get("hang"):
            await asyncio.Event().wait()
        elif fault.get("drop"):
            connection.close()
        elif fault.get("endless"):
            connection.head(200, {"Content-Type": "application/json"})
            while True:
                await connection.write(b" " * 65_536)
        elif "body" in fault or "status" in fault:
            headers = {"Content-Type": "text/html; charset=utf-8", **fault.get("headers", {})}
            await connection.reply(fault.get("status", 200), fault.get("body", "").encode(), headers)
        elif url.path != "/query":
            await connection.reply(404, b"<html>Not Found</html>", {"Content-Type": "text/html"})
        else:
            body = self._notice(fault["notice"], call) if "notice" in fault else self._answer(call)
            await connection.reply(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _fault(self, function: str) -> Fault:
        for target in (function, "*"):
            fault = self.faults.get(target, {})
            if (left := fault.get("times", 1)) > 0 and fault:
                fault["times"] = left - 1
                return fault
        return {}

    def _notice(self, name: str, call: Call) -> Json:
        key = call.query.get("apikey", "")
        return {field: text.format(key=key, function=call.function) for field, text in NOTICES[name].items()}

    def _answer(self, call: Call) -> Json:
        if refusal := self._refusal(call):
            return self._notice(refusal, call)
        answers: dict[str, Callable[[Call], Json]] = {
            "GLOBAL_QUOTE": self._quote,
            "TIME_SERIES_DAILY": self._daily,
            "OVERVIEW": self._overview,
            "SYMBOL_SEARCH": self._search,
            "NEWS_SENTIMENT": self._news,
        }
        answer = answers.get(call.function)
        return answer(call) if answer else self._notice("bad_call", call)

    def _refusal(self, call: Call) -> str | None:
        key, since = call.query.get("apikey"), self.monotonic() - self._last_request
        self._last_request = self.monotonic()
        if not key or (self.key is not None and key != self.key):
            return "bad_key"
        if len(self.calls) > self.per_day:
            return "daily_limit"
        if since < self.min_interval_s:
            return "burst_limit"
        if call.query.get("outputsize") == "full" or call.function == "TIME_SERIES_DAILY_ADJUSTED":
            return "premium"
        return None

    def _quote(self, call: Call) -> Json:
        listing = self.listings.get(call.query.get("symbol", "").upper())
        label = "Global Quote - DATA DELAYED BY 15 MINUTES" if self.delayed else "Global Quote"
        if listing is None:
            return {label: {}}
        last, before = listing.bars[-1], listing.bars[-2]
        change = last.close - before.close
        values = (listing.symbol, last.open, last.high, last.low, last.close, last.volume, last.day.isoformat())
        names = ("symbol", "open", "high", "low", "price", "volume", "latest trading day", "previous close", "change")
        fields = _numbered(names, (*values, before.close, change), "{:02d}. {}")
        return {label: {**fields, "10. change percent": f"{100 * change / before.close:.4f}%"}}

    def _daily(self, call: Call) -> Json:
        listing = self.listings.get(call.query.get("symbol", "").upper())
        if listing is None:
            return self._notice("bad_call", call)
        bars = listing.bars[-COMPACT:][::-1]
        meta = (
            "Daily Prices (open, high, low, close) and Volumes",
            listing.symbol,
            bars[0].day.isoformat(),
            "Compact",
            "US/Eastern",
        )
        names = ("Information", "Symbol", "Last Refreshed", "Output Size", "Time Zone")
        series = {bar.day.isoformat(): _row(bar) for bar in bars}
        return {"Meta Data": _numbered(names, meta), "Time Series (Daily)": series}

    def _overview(self, call: Call) -> Json:
        symbol = call.query.get("symbol", "").upper()
        listing = self.listings.get(symbol)
        if listing is None or "." in symbol or listing.instrument_type != "EQUITY":
            return {}
        figures = {
            "Symbol": symbol,
            "AssetType": "Common Stock",
            "Name": listing.name,
            "Exchange": "NASDAQ",
            "Currency": listing.currency,
            "Sector": "TECHNOLOGY",
            "Industry": "INVENTED",
            "LatestQuarter": f"{self.now.year}-03-31",
            "MarketCapitalization": f"{listing.bars[-1].close * 1e9:.0f}",
            "PERatio": "21.5",
            "ForwardPE": "19.25",
            "PriceToBookRatio": "6.5",
            "EPS": f"{listing.bars[-1].close / 21.5:.2f}",
            "DividendYield": "0.0061",
            "ProfitMargin": "0.235",
            "RevenueTTM": "146410000000",
            "Beta": "1.1",
        }
        return figures | self.overviews.get(symbol, {})

    def _search(self, call: Call) -> Json:
        wanted = call.query.get("keywords", "").strip().lower()
        found = [item for item in self.listings.values() if wanted and wanted in f"{item.symbol} {item.name}".lower()]
        return {"bestMatches": [_match(item, wanted) for item in found]}

    def _news(self, call: Call) -> Json:
        symbol = call.query.get("tickers", "").upper()
        if symbol in self.feeds:
            feed = self.feeds[symbol]
            return {"items": str(len(feed)), "feed": feed} if feed else self._notice("no_news", call)
        if symbol not in self.listings or "." in symbol:
            return self._notice("not_followed", call)
        feed = [story(self.listings[symbol], number, self.now) for number in range(50)]
        return {"items": str(len(feed)), "sentiment_score_definition": "x <= -0.35: Bearish", "feed": feed}


def story(listing: Listing, number: int, now: datetime, **changes: Any) -> Json:
    """The article that appeared ``number`` hours ago."""
    article = {
        "title": f"{listing.name} in the news",
        "url": f"https://news.example/{listing.symbol.lower()}-{number}",
        "time_published": f"{now - timedelta(hours=number):%Y%m%dT%H%M%S}",
        "authors": ["A. Writer"],
        "summary": "An invented article.",
        "source": "Test Wire",
        "topics": [{"topic": "Earnings", "relevance_score": "0.5"}],
        "overall_sentiment_score": 0.1,
        "overall_sentiment_label": "Neutral",
        "ticker_sentiment": [
            {
                "ticker": listing.symbol,
                "relevance_score": "0.9",
                "ticker_sentiment_score": "0.1",
                "ticker_sentiment_label": "Neutral",
            }
        ],
    }
    return article | changes


def _listings(now: datetime) -> list[Listing]:
    yahoo = default_listings(now)
    same = [yahoo[symbol] for symbol in ("AAPL", "FB", "GOOG", "IBM", "MSFT", "BRK-B", "SPY")]
    return [*same, replace(yahoo["VOD.L"], symbol="VOD.LON", currency="GBX"), _as_traded(yahoo["FORK"])]


def _as_traded(listing: Listing) -> Listing:
    """Prices before a split as they were, which Yahoo's are not."""
    bars = list(listing.bars)
    for day, (new, old) in listing.splits.items():
        bars = [_times(bar, new / old) if bar.day < day else bar for bar in bars]
    return replace(listing, bars=bars)


def _times(bar: DayBar, factor: float) -> DayBar:
    prices = (value * factor for value in (bar.open, bar.high, bar.low, bar.close))
    return DayBar(bar.day, *prices, adj_close=bar.adj_close, volume=bar.volume)


def _row(bar: DayBar) -> Json:
    names = ("open", "high", "low", "close", "volume")
    return _numbered(names, (bar.open, bar.high, bar.low, bar.close, bar.volume))


def _match(listing: Listing, wanted: str) -> Json:
    foreign = "." in listing.symbol
    kind = {"EQUITY": "Equity", "ETF": "ETF"}[listing.instrument_type]
    names = ("symbol", "name", "type", "region", "marketOpen", "marketClose", "timezone", "currency", "matchScore")
    place = ("United Kingdom", "08:00", "16:30", "UTC+01") if foreign else ("United States", "09:30", "16:00", "UTC-04")
    score = len(wanted) / max(len(wanted), len(listing.name))
    return _numbered(names, (listing.symbol, listing.name, kind, *place, listing.currency, f"{score:.4f}"))


def _numbered(names: tuple[str, ...], values: tuple[Any, ...], label: str = "{}. {}") -> dict[str, str]:
    """Alpha Vantage numbers its fields and sends every number as text, prices with four decimals."""
    texts = (f"{value:.4f}" if isinstance(value, float) else str(value) for value in values)
    return {label.format(number, name): text for number, (name, text) in enumerate(zip(names, texts, strict=True), 1)}


def main() -> None:
    """Serve until Ctrl-C, with the limits of a free key, for trying the application by hand."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="default: any free port")
    with AlphaVantageDouble(port=parser.parse_args().port) as double:
        double.min_interval_s = 1.0
        print(f"ALPHA_VANTAGE_BASE_URL={double.base_url}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            double.wait(lambda: False, timeout=3e6)


if __name__ == "__main__":
    main()
