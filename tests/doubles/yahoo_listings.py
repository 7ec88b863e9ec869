"""What the Yahoo double lists: the shipped sample re-dated to end now, and invented instruments for odd cases."""

import csv
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

SAMPLE = Path(__file__).parents[2] / "shared/market/data/sample_ohlcv.csv"

SAMPLE_NAMES = {
    "AAPL": "Apple Inc.",
    "FB": "Facebook, Inc.",
    "GOOG": "Google Inc.",
    "IBM": "International Business Machines Corporation",
    "MSFT": "Microsoft Corporation",
}


@dataclass(frozen=True, slots=True)
class DayBar:
    """One trading day; a ``close`` of None is Yahoo's row for a day that has volume but no price yet."""

    day: date
    open: float
    high: float
    low: float
    close: float | None
    adj_close: float | None
    volume: int


@dataclass(frozen=True, slots=True)
class Listing:
    """An instrument with its bars, oldest first. ``meta`` replaces or, with None, removes chart metadata.

    ``company`` does the same to the company data, module by module. ``stories`` replaces the news.
    """

    symbol: str
    name: str
    bars: Sequence[DayBar]
    currency: str = "USD"
    exchange: str = "NMS"
    instrument_type: str = "EQUITY"
    timezone: str = "America/New_York"
    opens: time = time(9, 30)
    closes: time = time(16, 0)
    dividends: Mapping[date, float] = field(default_factory=dict)
    splits: Mapping[date, tuple[int, int]] = field(default_factory=dict)
    fundamentals: Mapping[str, Mapping[date, float]] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    company: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stories: Sequence[Mapping[str, Any]] | None = None

    def moment(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, ZoneInfo(self.timezone))

    def last_trade(self, now: datetime) -> datetime:
        """The close of the newest bar, or ``now`` while its session is open."""
        return min(self.moment(self.bars[-1].day, self.closes), now)


def default_listings(now: datetime) -> dict[str, Listing]:
    """Every listing ends with the newest weekday whose session has begun on its own exchange at ``now``."""
    listings = [*_sample(now), *_invented(now)]
    return {listing.symbol: listing for listing in listings}


def _sample(now: datetime) -> Iterable[Listing]:
    rows: dict[str, list[dict[str, str]]] = {}
    with SAMPLE.open(newline="") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["symbol"], []).append(row)
    for symbol, table in rows.items():
        days = _trading_days(now, "America/New_York", time(9, 30), len(table))
        bars = [_sample_bar(day, row) for day, row in zip(days, table, strict=True)]
        yield Listing(symbol, SAMPLE_NAMES[symbol], bars, dividends=_dividends(bars), fundamentals=_fundamentals(days))


def _sample_bar(day: date, row: Mapping[str, str]) -> DayBar:
    prices = (float(row[name]) for name in ("open", "high", "low", "close", "adj_close"))
    return DayBar(day, *prices, volume=int(row["volume"]))


def _dividends(bars: Sequence[DayBar]) -> dict[date, float]:
    """The payments that the adjusted closes imply: close * (previous ratio / ratio - 1) on the ex-day."""
    dividends = {}
    for before, after in pairwise(bars):
        amount = after.close * ((before.close / before.adj_close) / (after.close / after.adj_close) - 1)
        if amount > 0.01:
            dividends[after.day] = round(amount, 4)
    return dividends


def _fundamentals(days: Sequence[date]) -> dict[str, dict[date, float]]:
    year_ends = [date(days[-1].year - back, 9, 30) for back in range(4, 0, -1)]
    figures = {
        "annualTotalRevenue": 100e9,
        "annualNetIncome": 25e9,
        "annualTotalAssets": 300e9,
        "annualFreeCashFlow": 2e10,
    }
    return {
        name: {day: base * (1 + 0.1 * index) for index, day in enumerate(year_ends)} for name, base in figures.items()
    }


def _invented(now: datetime) -> list[Listing]:
    hong_kong = {"timezone": "Asia/Hong_Kong", "exchange": "HKG", "currency": "HKD"}
    london = {
        "timezone": "Europe/London",
        "exchange": "LSE",
        "currency": "GBp",
        "opens": time(8),
        "closes": time(16, 30),
        "company": {"financialData": {"financialCurrency": "EUR"}},
    }
    listings = [
        _walk(now, "VOD.L", "Vodafone Group Public Limited Company", 73.42, **london),
        _walk(now, "0700.HK", "Tencent Holdings Limited", 388.6, **hong_kong),
        _walk(now, "BRK-B", "Berkshire Hathaway Inc.", 409.3, exchange="NYQ"),
        _walk(now, "SPY", "SPDR S&P 500 ETF Trust", 543.21, exchange="PCX", instrument_type="ETF"),
        _walk(now, "^GSPC", "S&P 500", 5431.6, exchange="SNP", instrument_type="INDEX"),
        _walk(now, "EURUSD=X", "EUR/USD", 1.0712, exchange="CCY", instrument_type="CURRENCY"),
    ]
    return [
        *listings,
        _unfinished(_walk(now, "GAPY", "Gap Year Holdings", 50.0)),
        _split(_walk(now, "FORK", "Fork Inc.", 80.0)),
    ]


def _walk(now: datetime, symbol: str, name: str, last: float, **attributes: Any) -> Listing:
    """A random walk of 300 days, the same for a symbol every time, scaled to close at ``last``."""
    listing = Listing(symbol, name, (), **attributes)
    days = _trading_days(now, listing.timezone, listing.opens, 300)
    source = random.Random(symbol)
    levels = [1.0]
    for _ in days:
        levels.append(levels[-1] * (1 + source.gauss(0.0003, 0.01)))
    scale = last / levels[-1]
    bars = [_bar(day, levels[i] * scale, levels[i + 1] * scale, source) for i, day in enumerate(days)]
    return replace(listing, bars=bars)


def _bar(day: date, start: float, end: float, source: random.Random) -> DayBar:
    opened, close = round(start, 4), round(end, 4)
    high = round(max(start, end) * (1 + abs(source.gauss(0, 0.003))), 4)
    low = round(min(start, end) * (1 - abs(source.gauss(0, 0.003))), 4)
    return DayBar(day, opened, high, low, close, close, source.randrange(1_000_000, 9_000_000))


def _unfinished(listing: Listing) -> Listing:
    """The newest row has volume but no prices, while the metadata already knows the market price."""
    last = listing.bars[-1]
    unpriced = DayBar(last.day, last.open, last.high, last.low, None, None, last.volume)
    return replace(listing, bars=[*listing.bars[:-1], unpriced], meta={"regularMarketPrice": 50.5})


def _split(listing: Listing) -> Listing:
    """Four new shares for one, 60 sessions ago; Yahoo's prices before that day are already divided."""
    return replace(listing, splits={listing.bars[-60].day: (4, 1)})


def _trading_days(now: datetime, timezone: str, opens: time, count: int) -> list[date]:
    local = now.astimezone(ZoneInfo(timezone))
    day = local.date() if local.time() >= opens else local.date() - timedelta(days=1)
    days: list[date] = []
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day -= timedelta(days=1)
    return days[::-1]
