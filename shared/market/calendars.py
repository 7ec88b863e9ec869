"""When exchanges trade: holidays, half days and time zones, so that a last close is not taken for an old price."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, Literal

_log = logging.getLogger(__name__)

# Calendars by the exchange codes of Yahoo, which the other sources are translated to.
_BY_EXCHANGE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("NMS", "NGM", "NCM", "NYQ", "ASE", "PCX", "BTS", "NAS", "NASDAQ", "NYSE", "SNP", "NIM"), "XNYS"),
    "LSE": "XLON",
    "IOB": "XLON",
    "GER": "XETR",
    "FRA": "XFRA",
    "PAR": "XPAR",
    "AMS": "XAMS",
    "BRU": "XBRU",
    "LIS": "XLIS",
    "MIL": "XMIL",
    "MCE": "XMAD",
    "EBS": "XSWX",
    "VIE": "XWBO",
    "STO": "XSTO",
    "CPH": "XCSE",
    "HEL": "XHEL",
    "OSL": "XOSL",
    "WSE": "XWAR",
    "TOR": "XTSE",
    "SAO": "BVMF",
    "MEX": "XMEX",
    "JPX": "XTKS",
    "HKG": "XHKG",
    "SHH": "XSHG",
    "SHZ": "XSHG",
    "KSC": "XKRX",
    "KOE": "XKRX",
    "TAI": "XTAI",
    "BSE": "XBOM",
    "NSI": "XBOM",
    "SES": "XSES",
    "ASX": "XASX",
    "NZE": "XNZE",
    "JNB": "XJSE",
    "TLV": "XTAE",
    "CCY": "24/5",
    "CCC": "24/7",
}
# By the suffix of a symbol, for sources that name no exchange.
_BY_SUFFIX: Final[Mapping[str, str]] = {
    "L": "XLON",
    "DE": "XETR",
    "F": "XFRA",
    "PA": "XPAR",
    "AS": "XAMS",
    "BR": "XBRU",
    "LS": "XLIS",
    "MI": "XMIL",
    "MC": "XMAD",
    "SW": "XSWX",
    "VI": "XWBO",
    "ST": "XSTO",
    "CO": "XCSE",
    "HE": "XHEL",
    "OL": "XOSL",
    "WA": "XWAR",
    "TO": "XTSE",
    "SA": "BVMF",
    "MX": "XMEX",
    "T": "XTKS",
    "HK": "XHKG",
    "SS": "XSHG",
    "SZ": "XSHG",
    "KS": "XKRX",
    "KQ": "XKRX",
    "TW": "XTAI",
    "BO": "XBOM",
    "NS": "XBOM",
    "SI": "XSES",
    "AX": "XASX",
    "NZ": "XNZE",
    "JO": "XJSE",
    "TA": "XTAE",
}


@dataclass(frozen=True, slots=True)
class Session:
    """Where an exchange stands at a moment. ``last_close`` is the end of the last session that has ended, or ``None``
    where trading never closes; ``next_open`` the start of the next one. All moments are aware UTC. A lunch break counts
    as open: prices go on after it."""

    state: Literal["open", "closed"]
    last_close: datetime | None
    next_open: datetime | None


def calendar_of(symbol: str, exchange: str | None) -> str | None:
    """The name of the calendar that a listing follows; None when it is not known, which is not an error."""
    if exchange is not None and (name := _BY_EXCHANGE.get(exchange.upper())):
        return name
    if symbol.endswith("=X"):
        return "24/5"
    stem, dot, suffix = symbol.rpartition(".")
    if dot and stem:
        return _BY_SUFFIX.get(suffix)
    # Without a suffix, sources list US shares; an index or a pair may be anything.
    return "XNYS" if symbol.replace("-", "").isalpha() and exchange is None else None


async def session_of(symbol: str, exchange: str | None, now: datetime) -> Session | None:
    """Where the listing's exchange stands at ``now``; None when its calendar is not known.

    The first call imports the calendar library, in a thread: it brings pandas, and takes a second or two.
    """
    name = calendar_of(symbol, exchange)
    if name is None:
        return None
    try:
        return await asyncio.to_thread(_session, name, now)
    except (ValueError, KeyError, ImportError):
        # A calendar that cannot say must not cost the price: it is only served for a shorter time.
        _log.warning("the calendar %s cannot say where it stands", name)
        return None


def _session(name: str, now: datetime) -> Session:
    if name == "24/7":
        return Session("open", None, None)
    calendar = _calendar(name, now.year)
    moment = _minute(now)
    is_open = bool(calendar.is_open_on_minute(moment, ignore_breaks=True))
    return Session(
        state="open" if is_open else "closed",
        last_close=calendar.previous_close(moment).to_pydatetime(),
        next_open=calendar.next_open(moment).to_pydatetime(),
    )


def _minute(now: datetime) -> Any:
    import pandas as pd

    return pd.Timestamp(now).tz_convert("UTC").floor("min")


@cache
def _calendar(name: str, year: int) -> Any:
    import exchange_calendars

    # Forty days on either side hold every neighbour that can be asked for, and are quick to build.
    start, end = datetime(year, 1, 1), datetime(year, 12, 31)  # noqa: DTZ001 - sessions are days, not moments
    return exchange_calendars.get_calendar(name, start=start - timedelta(days=40), end=end + timedelta(days=40))
