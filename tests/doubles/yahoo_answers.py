"""Yahoo's answers as yfinance 1.7 parses them, built from listings; they prove our code against the library only."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from tests.doubles.yahoo_listings import DayBar, Listing

VALID_RANGES = ("1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max")
RANGE_BARS = {"1d": 1, "5d": 5, "1mo": 22, "3mo": 64, "6mo": 127, "1y": 253, "2y": 505, "5y": 1260, "10y": 2520}
EXTENDED_HOURS = (time(4), time(20))
INTRADAY_BARS = 7

type Json = dict[str, Any]
type Query = Mapping[str, str]

NOT_LISTED: Json = {
    "chart": {"result": None, "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"}}
}
NO_SUCH_PAGE: Json = {"finance": {"result": None, "error": {"code": "Not Found", "description": "No such resource"}}}
BAD_CRUMB: Json = {"finance": {"result": None, "error": {"code": "Unauthorized", "description": "Invalid Crumb"}}}
NO_FUNDAMENTALS: Json = {
    "quoteSummary": {"result": None, "error": {"code": "Not Found", "description": "No fundamentals data found"}}
}
NO_SUMMARY: Json = {
    "quoteSummary": {"result": None, "error": {"code": "Not Found", "description": "Quote not found for symbol"}}
}


def chart(listing: Listing, query: Query, now: datetime) -> Json:
    """``range`` or ``period1`` and ``period2`` choose the days; a bar is kept if period1 <= its open < period2."""
    interval = query.get("interval", "1d")
    days = _chosen(listing, query)
    meta = _chart_meta(listing, query, now)
    if not days:
        return _charted({"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}})
    if interval[-1] in "mh":
        return _charted(_intraday(listing, days, meta, extended=query.get("includePrePost", "").lower() == "true"))
    rows = _aggregated(days, interval)
    result: Json = {
        "meta": meta,
        "timestamp": [_opening(listing, row.day, interval) for row in rows],
        "indicators": {
            "quote": [_columns(rows, ("open", "high", "low", "close", "volume"))],
            "adjclose": [{"adjclose": [row.adj_close for row in rows]}],
        },
    }
    if events := _events(listing, days):
        result["events"] = events
    return _charted(result)


def quote_summary(listing: Listing, modules: Iterable[str], now: datetime) -> Json:
    known = _summary_modules(listing, now)
    result = {module: known[module] for module in modules if module in known}
    return {"quoteSummary": {"result": [result], "error": None}}


def quotes(listings: Iterable[Listing], now: datetime) -> Json:
    return {"quoteResponse": {"result": [_quote(listing, now) for listing in listings], "error": None}}


def search(listings: Iterable[Listing], query: Query) -> Json:
    found = _matching(listings, query.get("q", ""))[: int(query.get("quotesCount", 8))]
    candidates = [
        {
            "exchange": listing.exchange,
            "shortname": listing.name[:30],
            "longname": listing.name,
            "quoteType": listing.instrument_type,
            "symbol": listing.symbol,
            "index": "quotes",
            "score": 30000.0 - rank,
            "typeDisp": listing.instrument_type.title(),
            "exchDisp": listing.exchange,
            "isYahooFinance": True,
        }
        for rank, listing in enumerate(found)
    ]
    count = len(candidates)
    rest = {"news": [], "nav": [], "lists": [], "researchReports": []}
    return {"explains": [], "count": count, "quotes": candidates, **rest}


def lookup(listings: Iterable[Listing], query: Query) -> Json:
    documents = [
        {
            "symbol": listing.symbol,
            "shortName": listing.name,
            "exchange": listing.exchange,
            "quoteType": listing.instrument_type.lower(),
            "regularMarketPrice": _last_close(listing),
        }
        for listing in _matching(listings, query.get("query", ""))
    ]
    return {"finance": {"result": [{"documents": documents, "total": len(documents)}], "error": None}}


def fundamentals(listing: Listing | None, query: Query) -> Json:
    if listing is None:
        return {"timeseries": {"result": [], "error": None}}
    if "type" not in query:
        return {"timeseries": {"result": [_shares(listing, query)], "error": None}}
    known = (kind for kind in query["type"].split(",") if kind in listing.fundamentals)
    return {"timeseries": {"result": [_figures(listing, kind) for kind in known], "error": None}}


def news(listing: Listing | None, now: datetime, count: int) -> Json:
    """``count`` stories, the first and newest one's advertisement on top; nothing at all for an unknown symbol."""
    if listing is None:
        stream: Sequence[Mapping[str, Any]] = []
    elif listing.stories is not None:
        stream = listing.stories[:count]
    else:
        advertisement = {"id": "ad", "ad": ["bought"], "content": story(listing, 0, now)["content"]}
        stream = [advertisement, *(story(listing, number, now) for number in range(min(count, 3)))]
    return {"data": {"tickerStream": {"stream": stream}}, "status": "OK"}


def _charted(result: Json) -> Json:
    return {"chart": {"result": [result], "error": None}}


def _chosen(listing: Listing, query: Query) -> Sequence[DayBar]:
    if "period1" in query:
        first, end = int(query["period1"]), int(query["period2"])
        return [bar for bar in listing.bars if first <= _opening(listing, bar.day) < end]
    wanted = query.get("range", "1mo")
    if wanted == "ytd":
        return [bar for bar in listing.bars if bar.day.year == listing.bars[-1].day.year]
    return listing.bars[-RANGE_BARS.get(wanted, len(listing.bars)) :]


def _opening(listing: Listing, day: date, interval: str = "1d") -> int:
    """Daily bars carry the opening time, longer ones midnight of their first day."""
    return int(listing.moment(day, listing.opens if interval == "1d" else time.min).timestamp())


def _aggregated(days: Sequence[DayBar], interval: str) -> list[DayBar]:
    first_days: dict[str, Callable[[date], date]] = {
        "1wk": lambda day: day - timedelta(days=day.weekday()),
        "1mo": lambda day: day.replace(day=1),
    }
    if interval not in first_days:
        return list(days)
    first_day = first_days[interval]
    return [_merged(start, list(bars)) for start, bars in groupby(days, key=lambda bar: first_day(bar.day))]


def _merged(start: date, bars: Sequence[DayBar]) -> DayBar:
    low, high = min(bar.low for bar in bars), max(bar.high for bar in bars)
    closed = [bar for bar in bars if bar.close is not None] or [bars[-1]]
    volume = sum(bar.volume for bar in bars)
    return DayBar(start, bars[0].open, high, low, closed[-1].close, closed[-1].adj_close, volume)


def _columns(rows: Sequence[DayBar], names: Iterable[str]) -> Json:
    return {name: [getattr(row, name) for row in rows] for name in names}


def _events(listing: Listing, days: Sequence[DayBar]) -> Json:
    shown = {bar.day for bar in days}
    dividends = {
        str(_opening(listing, day)): {"amount": amount, "date": _opening(listing, day)}
        for day, amount in listing.dividends.items()
        if day in shown
    }
    splits = {
        str(_opening(listing, day)): {
            "date": _opening(listing, day),
            "numerator": new,
            "denominator": old,
            "splitRatio": f"{new}:{old}",
        }
        for day, (new, old) in listing.splits.items()
        if day in shown
    }
    return {name: events for name, events in (("dividends", dividends), ("splits", splits)) if events}


def _chart_meta(listing: Listing, query: Query, now: datetime) -> Json:
    closes = [bar.close for bar in listing.bars[-253:] if bar.close is not None]
    last, traded = listing.bars[-1], listing.last_trade(now)
    meta = {
        "currency": listing.currency,
        "symbol": listing.symbol,
        "exchangeName": listing.exchange,
        "fullExchangeName": listing.exchange,
        "instrumentType": listing.instrument_type,
        "firstTradeDate": _opening(listing, listing.bars[0].day),
        "regularMarketTime": int(traded.timestamp()),
        "hasPrePostMarketData": True,
        **_offset(listing, traded),
        "exchangeTimezoneName": listing.timezone,
        "regularMarketPrice": closes[-1],
        "fiftyTwoWeekHigh": max(closes),
        "fiftyTwoWeekLow": min(closes),
        "regularMarketDayHigh": last.high,
        "regularMarketDayLow": last.low,
        "regularMarketVolume": last.volume,
        "longName": listing.name,
        "shortName": listing.name[:30],
        "chartPreviousClose": closes[-2],
        "priceHint": 2,
        "currentTradingPeriod": _trading_period(listing, last.day),
        "dataGranularity": query.get("interval", "1d"),
        "range": query.get("range", ""),
        "validRanges": list(VALID_RANGES),
    }
    return {key: value for key, value in (meta | listing.meta).items() if value is not None}


def _trading_period(listing: Listing, day: date) -> Json:
    begins, ends = EXTENDED_HOURS
    bounds = {
        "pre": (begins, listing.opens),
        "regular": (listing.opens, listing.closes),
        "post": (listing.closes, ends),
    }
    return {name: _period(listing, day, *clocks) for name, clocks in bounds.items()}


def _period(listing: Listing, day: date, start: time, end: time) -> Json:
    first, last = listing.moment(day, start), listing.moment(day, end)
    return {**_offset(listing, first), "start": int(first.timestamp()), "end": int(last.timestamp())}


def _offset(listing: Listing, moment: datetime) -> Json:
    local = moment.astimezone(listing.moment(date(2000, 1, 1), time.min).tzinfo)
    offset = local.utcoffset()
    return {"timezone": local.tzname(), "gmtoffset": int(offset.total_seconds()) if offset else 0}


def _intraday(listing: Listing, days: Sequence[DayBar], meta: Json, *, extended: bool) -> Json:
    stamps: list[int] = []
    columns: dict[str, list[float]] = {name: [] for name in ("open", "high", "low", "close", "volume")}
    for bar in days:
        close = bar.open if bar.close is None else bar.close
        for hour in range(INTRADAY_BARS):
            begins, ends = (bar.open + (close - bar.open) * (hour + i) / INTRADAY_BARS for i in (0, 1))
            stamps.append(_opening(listing, bar.day) + 3600 * hour)
            values = (begins, max(begins, ends), min(begins, ends), ends, bar.volume // INTRADAY_BARS)
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
    periods = [_trading_period(listing, bar.day) for bar in days]
    meta["tradingPeriods"] = (
        {name: [[period[name]] for period in periods] for name in ("pre", "regular", "post")}
        if extended
        else [[period["regular"]] for period in periods]
    )
    return {"meta": meta, "timestamp": stamps, "indicators": {"quote": [columns]}}


def _last_close(listing: Listing) -> float:
    return next(bar.close for bar in reversed(listing.bars) if bar.close is not None)


def _quote(listing: Listing, now: datetime) -> Json:
    price, previous = _last_close(listing), _last_close_before(listing)
    last = listing.bars[-1]
    is_open = listing.moment(last.day, listing.opens) <= now < listing.moment(last.day, listing.closes)
    return {
        "symbol": listing.symbol,
        "quoteType": listing.instrument_type,
        "currency": listing.currency,
        "shortName": listing.name[:30],
        "longName": listing.name,
        "marketState": "REGULAR" if is_open else "CLOSED",
        "exchange": listing.exchange,
        "exchangeTimezoneName": listing.timezone,
        "regularMarketPrice": price,
        "regularMarketPreviousClose": previous,
        "regularMarketChange": price - previous,
        "regularMarketChangePercent": 100 * (price / previous - 1),
        "regularMarketTime": int(listing.last_trade(now).timestamp()),
        "regularMarketVolume": last.volume,
        "exchangeDataDelayedBy": 0,
        "sourceInterval": 15,
        "marketCap": price * 1e9,
        "dividendYield": 0.61,
    }


def _last_close_before(listing: Listing) -> float:
    return [bar.close for bar in listing.bars if bar.close is not None][-2]


def _summary_modules(listing: Listing, now: datetime) -> dict[str, Json]:
    """All rates are fractions here; only ``_quote`` has a dividend yield in percent."""
    modules = _price_modules(listing, now)
    if listing.instrument_type == "EQUITY":
        modules = _with_company(modules, listing)
    for name, changes in listing.company.items():
        changed = {**modules.get(name, {}), **changes}
        modules[name] = {key: value for key, value in changed.items() if value is not None}
    return modules


def _price_modules(listing: Listing, now: datetime) -> dict[str, Json]:
    price = _last_close(listing)
    names = {"symbol": listing.symbol, "quoteType": listing.instrument_type, "exchange": listing.exchange}
    names |= {"longName": listing.name, "shortName": listing.name[:30]}
    stamp = {"regularMarketPrice": price, "regularMarketTime": int(listing.last_trade(now).timestamp())}
    return {
        "quoteType": {**names, "timeZoneFullName": listing.timezone},
        "price": {"maxAge": 1, **names, **stamp, "currency": listing.currency},
        "summaryDetail": {"maxAge": 1, "currency": listing.currency, "previousClose": price, "trailingPE": {}},
    }


def _with_company(modules: dict[str, Json], listing: Listing) -> dict[str, Json]:
    price = _last_close(listing)
    quarter = datetime(listing.bars[-1].day.year, 3, 31, tzinfo=UTC)
    detail = {
        "trailingPE": 21.5,
        "forwardPE": 19.25,
        "marketCap": price * 1e9,
        "dividendRate": price * 0.0061,
        "dividendYield": 0.0061,
        "beta": 1.1,
    }
    return modules | {
        "price": {**modules["price"], "marketCap": price * 1e9},
        "summaryDetail": {**modules["summaryDetail"], **detail},
        "defaultKeyStatistics": {
            "maxAge": 1,
            "sharesOutstanding": 1e9,
            "priceToBook": 6.5,
            "trailingEps": price / 21.5,
            "mostRecentQuarter": int(quarter.timestamp()),
        },
        "financialData": {
            "maxAge": 86400,
            "currentPrice": price,
            "financialCurrency": listing.currency,
            "totalRevenue": 146.41e9,
            "profitMargins": 0.2345,
        },
        "assetProfile": {"maxAge": 86400, "sector": "Technology", "industry": "Invented", "country": "Nowhere"},
    }


def _matching(listings: Iterable[Listing], text: str) -> list[Listing]:
    """Symbols and names that contain the text, those that begin with it first."""
    wanted = text.strip().lower()
    found = [item for item in listings if wanted and wanted in f"{item.symbol} {item.name}".lower()]
    return sorted(found, key=lambda item: not (f"{item.symbol} ".lower().startswith(f"{wanted} ")))


def _figures(listing: Listing, kind: str) -> Json:
    days = listing.fundamentals[kind]
    points = [
        {
            "dataId": 1,
            "asOfDate": day.isoformat(),
            "periodType": "12M",
            "currencyCode": listing.currency,
            "reportedValue": {"raw": value, "fmt": f"{value:.2e}"},
        }
        for day, value in days.items()
    ]
    stamps = [_midnight(day) for day in days]
    return {"meta": {"symbol": [listing.symbol], "type": [kind]}, "timestamp": stamps, kind: points}


def _shares(listing: Listing, query: Query) -> Json:
    first, end = int(query["period1"]), int(query["period2"])
    stamps = [stamp for bar in listing.bars[::20] if first <= (stamp := _opening(listing, bar.day)) < end]
    meta = {"symbol": [listing.symbol], "type": ["shares_out"]}
    return {"meta": meta, "timestamp": stamps, "shares_out": [1_000_000_000] * len(stamps)}


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time.min, UTC).timestamp())


def story(listing: Listing, number: int, now: datetime, **changes: Any) -> Json:
    """The story that appeared ``number`` hours ago; ``changes`` replaces parts of its content."""
    url = f"https://finance.yahoo.com/news/{listing.symbol.lower()}-{number}"
    content = {
        "id": str(number),
        "contentType": "STORY",
        "title": f"{listing.name} in the news",
        "summary": "An invented story.",
        "pubDate": f"{now - timedelta(hours=number):%Y-%m-%dT%H:%M:%SZ}",
        "provider": {"displayName": "Test Wire"},
        "canonicalUrl": {"url": url},
    }
    return {"id": str(number), "content": content | changes}
