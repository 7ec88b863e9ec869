"""The bundled public-domain sample: answers on a machine without internet access, and says how old it is."""

import csv
import difflib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo

from shared.market.periods import latest, resample
from shared.market.provider import NotOffered, UnknownSymbol
from shared.market.types import Bar, Fundamentals, History, HistoryRange, Instrument, Interval, NewsItem, Quote

_FILE = Path(__file__).resolve().parents[1] / "data" / "sample_ohlcv.csv"
_EXCHANGE_ZONE = "America/New_York"
_CLOSING_HOUR = 16


@dataclass(frozen=True, slots=True)
class _Listing:
    name: str
    exchange: str
    aliases: tuple[str, ...]


_LISTINGS = {
    "AAPL": _Listing("Apple Inc.", "NMS", ("apple",)),
    "FB": _Listing("Facebook, Inc.", "NMS", ("facebook", "meta", "meta platforms")),
    "GOOG": _Listing("Google Inc.", "NMS", ("google", "alphabet")),
    "IBM": _Listing("International Business Machines Corporation", "NYQ", ("ibm", "international business machines")),
    "MSFT": _Listing("Microsoft Corporation", "NMS", ("microsoft",)),
}


class SampleProvider:
    """Five US symbols, daily, 2012-01-03 to 2013-03-01. Every quote is the last close, ``stale``, market closed."""

    name: ClassVar[str] = "sample"

    async def quote(self, symbol: str) -> Quote:
        bars = _bars(symbol)
        last, previous = bars[-1], bars[-2]
        change = last.close - previous.close
        listing = _LISTINGS[symbol]
        return Quote(
            symbol=symbol,
            name=listing.name,
            value=last.close,
            currency="USD",
            as_of=_close_of(last.date),
            source=self.name,
            previous_close=previous.close,
            change=round(change, 4),
            change_percent=round(100 * change / previous.close, 6),
            market_state="closed",
            stale=True,
            exchange=listing.exchange,
            timezone=_EXCHANGE_ZONE,
            type="equity",
        )

    async def history(self, symbol: str, period: HistoryRange, interval: Interval) -> History:
        bars = _bars(symbol)
        everything = History(
            symbol=symbol,
            name=_LISTINGS[symbol].name,
            currency="USD",
            interval=interval,
            bars=bars,
            as_of=_close_of(bars[-1].date),
            source=self.name,
            stale=True,
            timezone=_EXCHANGE_ZONE,
            split_adjusted=False,
        )
        kept = latest(everything, period)
        return replace(kept, bars=resample(kept.bars, interval))

    async def search(self, query: str, limit: int) -> tuple[Instrument, ...]:
        wanted = query.casefold().strip()
        exact = [s for s, item in _LISTINGS.items() if wanted == s.casefold() or wanted in item.aliases]
        if exact:
            return tuple(_instrument(symbol) for symbol in exact[:limit])
        partial = [s for s, item in _LISTINGS.items() if wanted and wanted in f"{s} {item.name}".casefold()]
        return tuple(_instrument(symbol) for symbol in (partial or _misspelt(wanted))[:limit])

    async def fundamentals(self, symbol: str) -> Fundamentals:  # noqa: ARG002 - the same answer for every symbol
        raise NotOffered(self.name, "the sample has prices only")

    async def news(self, symbol: str, limit: int) -> tuple[NewsItem, ...]:  # noqa: ARG002 - as above
        raise NotOffered(self.name, "the sample has prices only")

    async def aclose(self) -> None:
        """Nothing to release."""


def _misspelt(wanted: str) -> list[str]:
    spellings = {alias: symbol for symbol, item in _LISTINGS.items() for alias in item.aliases}
    return list(dict.fromkeys(spellings[hit] for hit in difflib.get_close_matches(wanted, spellings, cutoff=0.8)))


def _instrument(symbol: str) -> Instrument:
    listing = _LISTINGS[symbol]
    return Instrument(symbol, listing.name, listing.exchange, "USD", "equity", _EXCHANGE_ZONE, SampleProvider.name)


def _bars(symbol: str) -> tuple[Bar, ...]:
    try:
        return _load()[symbol]
    except KeyError:
        raise UnknownSymbol(SampleProvider.name, "only AAPL, FB, GOOG, IBM and MSFT are bundled") from None


@cache
def _load() -> dict[str, tuple[Bar, ...]]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {symbol: _rebased(list(group)) for symbol, group in groupby(rows, key=lambda row: row["symbol"])}


def _rebased(rows: list[dict[str, str]]) -> tuple[Bar, ...]:
    # The file's adjusted closes know of splits after 2013; rebasing keeps their ratios and ends at the last raw close.
    factor = float(rows[-1]["close"]) / float(rows[-1]["adj_close"])
    return tuple(
        Bar(
            date=date.fromisoformat(row["date"]),
            open=float(row["open"]),
            high=float(row["high"]),
            low=float(row["low"]),
            close=float(row["close"]),
            adj_close=round(float(row["adj_close"]) * factor, 6),
            volume=int(row["volume"]),
        )
        for row in rows
    )


def _close_of(day: date) -> datetime:
    opened = datetime.combine(day, datetime.min.time(), ZoneInfo(_EXCHANGE_ZONE))
    return (opened + timedelta(hours=_CLOSING_HOUR)).astimezone(UTC)
