"""The contract of market-data sources, run by the real yfinance against the Yahoo double."""

from datetime import UTC, datetime

import pytest

from tests.contract.market_provider_contract import CompanyDataContract
from tests.doubles.yahoo import YahooDouble
from tests.doubles.yahoo_process import YahooProcess


@pytest.fixture(scope="module")
def process():
    with YahooDouble(now=datetime(2026, 6, 12, 19, 0, tzinfo=UTC)) as double, YahooProcess(double) as process:
        yield process


class TestYahooContract(CompanyDataContract):
    @pytest.fixture
    async def provider(self, process):
        provider = process.provider()
        yield provider
        await provider.aclose()
