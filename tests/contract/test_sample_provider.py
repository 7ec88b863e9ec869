"""The contract of market-data sources, run against the bundled sample."""

import pytest

from shared.market.providers.sample import SampleProvider
from tests.contract.market_provider_contract import PricesOnlyContract


class TestSampleProvider(PricesOnlyContract):
    @pytest.fixture
    def provider(self) -> SampleProvider:
        return SampleProvider()
