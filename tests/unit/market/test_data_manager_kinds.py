"""What the data manager makes of a source that lacks a kind of data, is busy, or refuses its key."""

from datetime import UTC, datetime

import pytest

from shared.cache.backend import CacheBackend
from shared.cache.config import CacheConfig
from shared.errors import InsufficientData, MarketDataUnavailable
from shared.market.data_manager import DataManager, Ttls
from shared.market.provider import NotOffered, ProviderBusy, ProviderMisconfigured
from shared.market.types import Fundamentals

TTLS = Ttls(price=60, historical=3600, fundamental=86400, news=900, unknown_symbol=300, search=3600)
FIGURES = Fundamentals("AAPL", "Apple Inc.", "USD", datetime(2026, 1, 2, tzinfo=UTC), "second")


class Source:
    """Answers every question with one value or one exception, and counts."""

    def __init__(self, name: str, answer: object) -> None:
        self.name = name
        self.answer = answer
        self.calls = 0

    async def fundamentals(self, symbol: str) -> object:
        self.calls += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def aclose(self) -> None:
        pass


def manager(*sources: Source) -> DataManager:
    return DataManager(
        sources,
        cache=CacheBackend.from_config(CacheConfig(max_entries=10, failure_hold_s=0, jitter=0, early_refresh_ratio=0)),
        ttls=TTLS,
    )


async def test_a_source_without_the_kind_of_data_is_passed_over() -> None:
    """The next source answers, and the first one is not counted as failing."""
    first, second = Source("first", NotOffered("first")), Source("second", FIGURES)
    market = manager(first, second)
    assert await market.fundamentals("AAPL") == FIGURES
    assert [source.ok for source in market.health()] == [True, True]


async def test_where_no_source_has_the_kind_of_data_it_is_insufficient_data() -> None:
    """Not an outage, and nothing about the symbol."""
    with pytest.raises(InsufficientData):
        await manager(Source("first", NotOffered("first"))).fundamentals("AAPL")


async def test_a_busy_source_is_an_outage_for_this_call_only() -> None:
    """Our own congestion does not keep later callers away from the source."""
    source = Source("first", ProviderBusy("first"))
    market = manager(source)
    for _ in range(5):
        with pytest.raises(MarketDataUnavailable) as raised:
            await market.fundamentals("AAPL")
    assert (source.calls, raised.value.retry_after) == (5, 1)
    source.answer = FIGURES
    assert await market.fundamentals("AAPL") == FIGURES


async def test_a_refused_key_is_not_tried_again() -> None:
    """The second call does not reach the source."""
    source = Source("first", ProviderMisconfigured("first"))
    market = manager(source)
    for _ in range(2):
        with pytest.raises(MarketDataUnavailable):
            await market.fundamentals("AAPL")
    assert source.calls == 1
