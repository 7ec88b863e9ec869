"""How old a price may be, and how long it is served."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.cache.backend import CacheBackend
from shared.cache.config import CacheConfig
from shared.market.calendars import Session
from shared.market.data_manager import DataManager
from shared.market.freshness import fresh_for, judged
from tests.unit.fakes.clock import FakeClock
from tests.unit.fakes.source import TTLS, CountingSource, a_quote

FRIDAY_CLOSE = datetime(2026, 6, 12, 20, tzinfo=UTC)
MONDAY_OPEN = datetime(2026, 6, 15, 13, 30, tzinfo=UTC)
CLOSED = Session("closed", FRIDAY_CLOSE, MONDAY_OPEN)
OPEN = Session("open", FRIDAY_CLOSE - timedelta(days=1), MONDAY_OPEN)


@pytest.mark.parametrize(
    ("as_of", "session", "now", "expected"),
    [
        (FRIDAY_CLOSE, OPEN, FRIDAY_CLOSE - timedelta(hours=1), 60),
        (FRIDAY_CLOSE, CLOSED, FRIDAY_CLOSE + timedelta(minutes=29), 60),
        (FRIDAY_CLOSE, CLOSED, MONDAY_OPEN - timedelta(hours=2), 7200),
        (FRIDAY_CLOSE, CLOSED, MONDAY_OPEN - timedelta(seconds=5), 60),
        (FRIDAY_CLOSE - timedelta(days=1), CLOSED, MONDAY_OPEN - timedelta(hours=2), 60),
        (FRIDAY_CLOSE, Session("open", None, None), MONDAY_OPEN, 60),
    ],
    ids=["open", "settling", "weekend", "just before the opening", "not the last close yet", "never closes"],
)
def test_a_settled_close_is_served_until_the_next_opening(
    as_of: datetime, session: Session, now: datetime, expected: float
) -> None:
    """60 seconds in every other case."""
    assert fresh_for(as_of, 60, session, now) == expected


def test_the_last_close_is_not_stale_and_an_older_one_is() -> None:
    """On a Sunday Friday's close is the newest there is; Thursday's is old."""
    quote = replace(a_quote(), as_of=FRIDAY_CLOSE, stale=True)
    assert judged(quote, CLOSED).stale is False
    assert judged(replace(quote, as_of=FRIDAY_CLOSE - timedelta(days=1)), CLOSED).stale is True


def test_a_holiday_is_closed_whatever_the_source_says() -> None:
    """The source knows usual hours; pre- and post-market are its own."""
    quote = replace(a_quote(), as_of=FRIDAY_CLOSE)
    states = [judged(replace(quote, market_state=state), CLOSED).market_state for state in ("open", "unknown", "post")]
    assert states == ["closed", "closed", "post"]


async def test_a_weekend_costs_one_call() -> None:
    """After the close the price is fetched once, and again after the opening."""
    time, source = FakeClock(), CountingSource()
    time.advance((FRIDAY_CLOSE + timedelta(hours=1) - time.clock.now()).total_seconds())
    source.quotes["AAPL"] = replace(a_quote(), as_of=FRIDAY_CLOSE)

    async def sessions(symbol: str, exchange: str | None, now: datetime) -> Session:
        return CLOSED if now < MONDAY_OPEN else replace(OPEN, last_close=FRIDAY_CLOSE)

    config = CacheConfig(max_entries=9, jitter=0, early_refresh_ratio=0)
    cache = CacheBackend.from_config(config, clock=time.clock)
    market = DataManager([source], cache=cache, ttls=TTLS, clock=time.clock, sessions=sessions)
    for _ in range(5):
        assert (await market.quote("AAPL")).market_state == "closed"
        time.advance(12 * 3600)
    assert source.count["quote"] == 1
    time.advance((MONDAY_OPEN + timedelta(seconds=1) - time.clock.now()).total_seconds())
    await market.quote("AAPL")
    assert source.count["quote"] == 2
