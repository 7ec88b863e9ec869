"""Sessions of exchanges, from the calendar library."""

from datetime import UTC, datetime

import pytest

from shared.market import calendars
from shared.market.calendars import calendar_of, session_of

# The library uses what pandas has deprecated; Python shows such warnings to nobody by default.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def utc(month: int, day: int, hour: int, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("symbol", "exchange", "now", "state", "last_close", "next_open"),
    [
        ("AAPL", "NMS", utc(11, 20, 18), "open", utc(11, 19, 21), utc(11, 23, 14, 30)),
        ("AAPL", "NMS", utc(11, 20, 22), "closed", utc(11, 20, 21), utc(11, 23, 14, 30)),
        ("AAPL", None, utc(11, 22, 12), "closed", utc(11, 20, 21), utc(11, 23, 14, 30)),
        # Thanksgiving, and the half day after it.
        ("BRK-B", "NYQ", utc(11, 26, 16), "closed", utc(11, 25, 21), utc(11, 27, 14, 30)),
        ("AAPL", "NMS", utc(11, 27, 17, 59), "open", utc(11, 25, 21), utc(11, 30, 14, 30)),
        ("AAPL", "NMS", utc(11, 27, 18, 30), "closed", utc(11, 27, 18), utc(11, 30, 14, 30)),
        # Summer time has ended in Europe and not in New York.
        ("VOD.L", "LSE", utc(10, 26, 16), "open", utc(10, 23, 15, 30), utc(10, 27, 8)),
        # The lunch break of Hong Kong is not the end of the day.
        ("0700.HK", None, utc(11, 20, 4, 30), "open", utc(11, 19, 8), utc(11, 23, 1, 30)),
        ("AAPL", "NMS", utc(1, 1, 4, 30, year=2027), "closed", utc(12, 31, 21), utc(1, 4, 14, 30, year=2027)),
    ],
)
async def test_sessions(
    symbol: str, exchange: str | None, now: datetime, state: str, last_close: datetime, next_open: datetime
) -> None:
    """Open, closed, weekend, holiday, half day, lunch break and the turn of the year."""
    session = await session_of(symbol, exchange, now)
    assert session is not None
    assert (session.state, session.last_close, session.next_open) == (state, last_close, next_open)


@pytest.mark.parametrize(
    ("symbol", "exchange", "expected"),
    [
        ("EURUSD=X", None, "24/5"),
        ("BTC-USD", "CCC", "24/7"),
        ("7203.T", "JPX", "XTKS"),
        ("7203.T", "whatever", "XTKS"),
        ("^GSPC", "SNP", "XNYS"),
        ("^N225", None, None),
        ("AAPL", "unknown exchange", None),
        ("X.ZZ", None, None),
    ],
)
def test_which_calendar_a_listing_follows(symbol: str, exchange: str | None, expected: str | None) -> None:
    """By exchange, then by suffix; what is not known is not guessed."""
    assert calendar_of(symbol, exchange) == expected


async def test_an_unknown_calendar_is_no_error() -> None:
    """Nobody has to know every exchange."""
    assert await session_of("X.ZZ", None, utc(11, 20, 18)) is None


async def test_crypto_never_closes() -> None:
    """There is no last close and no next opening."""
    session = await session_of("BTC-USD", "CCC", utc(11, 21, 3))
    assert session is not None
    assert (session.state, session.last_close, session.next_open) == ("open", None, None)


def test_every_calendar_that_is_named_exists() -> None:
    """The tables name calendars of the library only."""
    import exchange_calendars

    known = set(exchange_calendars.get_calendar_names())
    named = {*calendars._BY_EXCHANGE.values(), *calendars._BY_SUFFIX.values()}
    assert named - known == set()
