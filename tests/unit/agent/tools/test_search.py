"""search_symbol: the only way a name becomes a symbol."""

import pytest

from shared.market.provider import ProviderDown
from shared.market.providers.sample import SampleProvider
from shared.market.types import Instrument
from tests.unit.fakes.source import CountingSource, a_market

TENCENT = Instrument("0700.HK", "Tencent Holdings Limited", "HKG", "HKD", "equity")
TENCENT_MUSIC = Instrument("TME", "Tencent Music Entertainment Group")


@pytest.fixture
def source() -> CountingSource:
    source = CountingSource()
    source.listings["tencent"] = (TENCENT, TENCENT_MUSIC)
    return source


async def test_resolved_name_is_one_candidate(look_up):
    """The symbol and the source's own name for it; no figures."""
    found = await look_up("search_symbol", query="apple")

    assert found.document["resolved"] is True
    assert found.document["candidates"] == [
        {"symbol": "AAPL", "name": "Apple Inc.", "exchange": "NMS", "currency": "USD", "type": "equity"}
    ]
    assert found.ledger.facts == ()


async def test_behaviour_6_ambiguous_name_is_not_resolved(look_up, source):
    """Both companies, and the word that none is chosen."""
    found = await look_up("search_symbol", a_market(source), query="tencent")

    assert found.document["resolved"] is False
    assert [item["symbol"] for item in found.document["candidates"]] == ["0700.HK", "TME"]
    assert (source.count["quote"], source.count["history"]) == (0, 0)


async def test_digits_of_candidates_may_be_said(look_up, source):
    """Otherwise the question 'which one' would be withheld."""
    found = await look_up("search_symbol", a_market(source), query="tencent")

    assert "0700.HK" in found.ledger.names


async def test_name_that_nobody_lists_is_said(look_up, source):
    """Found nothing, by a source that answered."""
    found = await look_up("search_symbol", a_market(source), query="nobody")

    assert found.document == {
        "ok": True,
        "notes": {"query": "nobody", "found": "nothing is listed under this name"},
    }


async def test_narrow_coverage_is_said(look_up):
    """With the sample alone the reason is what there is."""
    notes = (await look_up("search_symbol", a_market(SampleProvider()), query="tesla")).notes

    assert notes["coverage"] == "only the bundled sample is configured: AAPL, FB, GOOG, IBM and MSFT"


async def test_behaviour_8_name_the_stand_in_does_not_know_is_an_outage(look_up, source):
    """While the first source is down, the sample's silence proves nothing."""
    source.failure = ProviderDown("first")
    found = await look_up("search_symbol", a_market(source, SampleProvider()), query="tesla")

    assert found.document["error"] == {
        "code": "market_data_unavailable",
        "message": "first cannot be reached right now. "
        "The bundled sample does not know 'tesla'. Try again in a moment.",
    }


async def test_name_the_stand_in_knows_is_resolved(look_up, source):
    """An outage does not get in the way of what is known."""
    source.failure = ProviderDown("first")
    found = await look_up("search_symbol", a_market(source, SampleProvider()), query="apple")

    assert [item["symbol"] for item in found.document["candidates"]] == ["AAPL"]


@pytest.mark.parametrize("query", ["", "x" * 81, None, 5])
async def test_unfit_queries_are_refused(look_up, query):
    """One to eighty characters."""
    assert (await look_up("search_symbol", query=query)).document["error"]["code"] == "invalid_arguments"
