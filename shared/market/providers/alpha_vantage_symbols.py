"""How Alpha Vantage writes symbols, and what a symbol alone tells about the market it is traded on."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from shared.market.provider import UnknownSymbol
from shared.market.symbols import InvalidSymbol, parse_symbol

SOURCE: Final = "alpha_vantage"


@dataclass(frozen=True, slots=True)
class Market:
    """``unit`` is what prices are in, None where one exchange quotes in several currencies."""

    timezone: str
    closes: time
    unit: str | None = None

    def close_of(self, day: date) -> datetime:
        return datetime.combine(day, self.closes, ZoneInfo(self.timezone)).astimezone(UTC)


_UNITED_STATES = Market("America/New_York", time(16), "USD")
# Our suffix (Yahoo's), theirs, and the market: the exchanges of Alpha Vantage's own examples. London quotes in pence,
# pounds, dollars and euros, Toronto and the Chinese B shares in dollars too, so none of them tells the currency.
_EXCHANGES: Final = (
    ("L", "LON", Market("Europe/London", time(16, 30))),
    ("TO", "TRT", Market("America/Toronto", time(16))),
    ("V", "TRV", Market("America/Toronto", time(16))),
    ("DE", "DEX", Market("Europe/Berlin", time(17, 30))),
    ("F", "FRK", Market("Europe/Berlin", time(20))),
    ("BO", "BSE", Market("Asia/Kolkata", time(15, 30))),
    ("SS", "SHH", Market("Asia/Shanghai", time(15))),
    ("SZ", "SHZ", Market("Asia/Shanghai", time(15))),
)
_THEIRS = {ours: theirs for ours, theirs, _ in _EXCHANGES}
_OURS = {theirs: ours for ours, theirs, _ in _EXCHANGES}
_MARKETS = {ours: market for ours, _, market in _EXCHANGES}


def listed_as(symbol: str) -> str:
    """Alpha Vantage's form of a neutral symbol. Share classes have a hyphen in both; unlisted suffixes stay.

    Raises UnknownSymbol, before a request of the small daily allowance is spent, for the forms of indices, currency
    pairs and futures, which these functions do not list.
    """
    if symbol.startswith("^") or "=" in symbol:
        raise UnknownSymbol(SOURCE, "only shares and funds are listed")
    stem, dot, suffix = symbol.rpartition(".")
    return f"{stem}.{_THEIRS.get(suffix, suffix)}" if dot else symbol


def neutral(listed: str) -> str | None:
    """Our form of a symbol of theirs, None when it is nothing that could be asked for."""
    stem, dot, suffix = listed.rpartition(".")
    try:
        return parse_symbol(f"{stem}.{_OURS.get(suffix, suffix)}" if dot else listed)
    except InvalidSymbol:
        return None


def market_of(symbol: str) -> Market | None:
    """The market of a neutral symbol; without a suffix it is a US listing, with a foreign one it is not known."""
    _, dot, suffix = symbol.rpartition(".")
    return _MARKETS.get(suffix) if dot else _UNITED_STATES


def is_same(asked: str, answered: str) -> bool:
    """Whether an answer is about the symbol that was asked for; dots and hyphens of share classes are one."""
    return asked.replace(".", "-") == answered.strip().upper().replace(".", "-")
