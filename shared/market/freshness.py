"""How old a price may be, and how long it may be served: while an exchange is closed, its last close is the news."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.market.calendars import Session
from shared.market.types import Quote

type SessionLookup = Callable[[str, str | None, datetime], Awaitable[Session | None]]
"""Where the exchange of a symbol stands at a moment; None when nobody knows."""

# Closing auctions and late corrections: so long after the close a price may still change.
_SETTLING = timedelta(minutes=30)


def judged(quote: Quote, session: Session) -> Quote:
    """The quote with the calendar's view of it.

    ``stale`` when its day is before that of the last close, whatever the source says; an exchange that the calendar
    knows to be closed (a holiday, a half day) is not open because the source's usual hours say so.
    """
    stale = session.last_close is not None and quote.as_of.date() < session.last_close.date()
    closed = session.state == "closed" and quote.market_state in {"open", "unknown"}
    return replace(quote, stale=stale, market_state="closed" if closed else quote.market_state)


def fresh_for(as_of: datetime, ttl: float, session: Session, now: datetime) -> float:
    """Seconds to serve a price or history: ``ttl``, and up to the next opening once the last close has settled."""
    if session.state == "open" or session.last_close is None or session.next_open is None:
        return ttl
    settled = now >= session.last_close + _SETTLING and as_of.date() >= session.last_close.date()
    return max(ttl, (session.next_open - now).total_seconds()) if settled else ttl
