"""The bundled rows: complete, labelled, and never taken for current prices."""

from datetime import UTC, date, datetime

import pytest

from shared.market.provider import UnknownSymbol
from shared.market.providers.sample import SampleProvider

LENGTHS = {"AAPL": 291, "FB": 196, "GOOG": 291, "IBM": 291, "MSFT": 291}


@pytest.mark.parametrize("symbol", LENGTHS)
async def test_all_rows_are_there(symbol):
    """1,360 rows, each symbol from its first to its last day."""
    bars = (await SampleProvider().history(symbol, "max", "1d")).bars

    assert LENGTHS[symbol] == len(bars)
    assert bars[0].date == (date(2012, 5, 18) if symbol == "FB" else date(2012, 1, 3))
    assert bars[-1].date == date(2013, 3, 1)


@pytest.mark.parametrize("symbol", LENGTHS)
async def test_every_quote_says_how_old_it_is(symbol):
    """Stale, closed, in USD, as of the close in New York in UTC, from 'sample'."""
    quote = await SampleProvider().quote(symbol)

    assert (quote.stale, quote.market_state, quote.currency, quote.source) == (True, "closed", "USD", "sample")
    assert quote.as_of == datetime(2013, 3, 1, 21, 0, tzinfo=UTC)


async def test_last_quote_of_apple():
    """The value that every example shows."""
    quote = await SampleProvider().quote("AAPL")

    assert (quote.value, quote.previous_close, quote.change, quote.change_percent) == (430.47, 441.4, -10.93, -2.476212)


async def test_adjusted_close_ends_at_the_raw_close():
    """Splits after 2013 are taken out of the adjusted closes: the last one is the price."""
    for symbol in LENGTHS:
        bars = (await SampleProvider().history(symbol, "max", "1d")).bars
        assert bars[-1].adj_close == pytest.approx(bars[-1].close)
        assert max(bar.adj_close / bar.close for bar in bars) <= 1.0001


async def test_dividends_follow_from_the_ratio():
    """On IBM's first ex-dividend day the ratio of adjusted to raw close steps by the 0.75 that was paid."""
    bars = (await SampleProvider().history("IBM", "max", "1d")).bars
    day = next(index for index, bar in enumerate(bars) if bar.date == date(2012, 2, 8))
    before, after = (bars[day - 1].close / bars[day - 1].adj_close), (bars[day].close / bars[day].adj_close)

    assert bars[day].close * (before / after - 1) == pytest.approx(0.75, abs=0.005)


@pytest.mark.parametrize(
    ("query", "symbols"),
    [
        ("apple", ["AAPL"]),
        ("Microsoft", ["MSFT"]),
        ("ibm", ["IBM"]),
        ("FB", ["FB"]),
        ("meta", ["FB"]),
        ("alphabet", ["GOOG"]),
        ("inc", ["AAPL", "FB", "GOOG"]),
        ("microsft", ["MSFT"]),
        ("", []),
        ("  ", []),
        ("tesla", []),
    ],
)
async def test_search(query, symbols):
    """By symbol, name, former or later name, part of a name or a near spelling; nothing for the rest."""
    assert symbols == [item.symbol for item in await SampleProvider().search(query, 8)]


@pytest.mark.parametrize("symbol", ["TSLA", "aapl", "", "../AAPL"])
async def test_other_symbols_are_unknown(symbol):
    """The source says what it has."""
    with pytest.raises(UnknownSymbol, match="only AAPL, FB, GOOG, IBM and MSFT are bundled"):
        await SampleProvider().quote(symbol)
