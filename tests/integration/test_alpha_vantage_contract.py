"""The contract of market-data sources, run by the Alpha Vantage adapter over HTTP against its double."""

from datetime import UTC, datetime

import pytest

from shared.clock import Clock
from shared.market.providers.alpha_vantage import AlphaVantageProvider
from tests.contract.market_provider_contract import CompanyDataContract
from tests.doubles.alpha_vantage import AlphaVantageDouble

NOW = datetime(2026, 6, 12, 21, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def double():
    with AlphaVantageDouble(now=NOW) as double:
        yield double


class TestAlphaVantageContract(CompanyDataContract):
    @pytest.fixture
    async def provider(self, double):
        double.reset()
        provider = AlphaVantageProvider(
            api_key="any", base_url=double.base_url, min_interval_s=0, clock=Clock(now=lambda: NOW)
        )
        yield provider
        await provider.aclose()
