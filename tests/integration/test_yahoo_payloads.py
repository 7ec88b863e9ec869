"""Translation of Yahoo's rows and metadata where the double would have to be bent too far."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from shared.market.provider import ProviderMalformed
from shared.market.providers.yahoo_payloads import (
    Row,
    history_of,
    instruments_of,
    listing_of,
    quote_of,
)

NAN = math.nan
NOW = datetime(2026, 6, 12, 15, 0, tzinfo=UTC)
DAY = date(2026, 6, 12)
META = {
    "currency": "USD",
    "exchangeTimezoneName": "America/New_York",
    "exchangeName": "NYQ",
    "instrumentType": "EQUITY",
    "longName": "Example Corp.",
    "regularMarketPrice": 11,
    "regularMarketTime": int(NOW.timestamp()),
    "currentTradingPeriod": {
        "regular": {
            "start": datetime(2026, 6, 12, 13, 30, tzinfo=UTC),
            "end": datetime(2026, 6, 12, 20, 0, tzinfo=UTC),
        }
    },
}
ROW = Row(DAY, 10.0, 12.0, 9.0, 11.0, 11.0, 100.0, 0.0)
ROWS = [replace(ROW, date=date(2026, 6, 11), close=10.0), ROW]


def _quote(rows=ROWS, **meta):
    return quote_of("EX", rows, listing_of(META | meta, "EX"), NOW)


def _history(rows, interval="1d", **meta):
    return history_of("EX", interval, rows, listing_of(META | meta, "EX"), NOW)


@pytest.mark.parametrize("price", [None, NAN, math.inf, "11", True])
def test_market_price_that_is_no_number_is_no_price(price):
    """The newest close is taken instead of NaN, infinity, text or a flag."""
    assert _quote([ROWS[0]], regularMarketPrice=price).value == 10.0


def test_market_price_without_its_time_is_not_used():
    """A price of unknown moment is worth less than a close of a known day."""
    quote = _quote([ROWS[0]], regularMarketTime=None, regularMarketPrice=99)

    assert (quote.value, quote.as_of) == (10.0, datetime(2026, 6, 11, 20, 0, tzinfo=UTC))


def test_close_of_the_running_day_is_not_from_the_future():
    """While the session is open, the bar of today is as of now and not as of the closing bell."""
    assert _quote(regularMarketTime=None).as_of == NOW


def test_day_without_known_closing_time_begins_at_midnight_of_the_exchange():
    """Without trading periods the moment of a bar is the earliest it can be, and the market state is not known."""
    quote = _quote([ROWS[0]], regularMarketTime=None, currentTradingPeriod=None)

    assert quote.as_of == datetime(2026, 6, 11, 4, 0, tzinfo=UTC)
    assert quote.market_state == "unknown"


def test_first_day_of_trading_has_no_previous_close():
    """Without a bar before today there is no change; it is absent and not zero."""
    quote = _quote([ROW])

    assert (quote.previous_close, quote.change, quote.change_percent) == (None, None, None)


def test_previous_close_of_zero_gives_no_percentage():
    """A change in percent of nothing does not exist."""
    quote = _quote([replace(ROWS[0], close=0.0), ROW])

    assert (quote.change, quote.change_percent) == (11.0, None)


def test_quote_without_any_price_is_malformed():
    """Neither a market price nor a close is left."""
    with pytest.raises(ProviderMalformed, match="neither a market price nor a close"):
        _quote([replace(ROW, close=NAN)], regularMarketPrice=None)


@pytest.mark.parametrize("unit", [None, "", 5])
def test_missing_currency_is_malformed(unit):
    """No price object without a currency."""
    with pytest.raises(ProviderMalformed, match="price without a currency"):
        _quote(currency=unit)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"longName": "Long", "shortName": "Short"}, "Long"),
        ({"longName": " ", "shortName": "Short"}, "Short"),
        ({"longName": None, "shortName": None}, "EX"),
    ],
)
def test_name_falls_back_to_the_symbol(names, expected):
    """The long name is preferred, then the short one, then the symbol itself."""
    assert _quote(**names).name == expected


@pytest.mark.parametrize("kind", ["OPTION", None])
def test_kind_without_a_name_of_ours_is_other(kind):
    """A kind that we do not distinguish is still quoted."""
    assert _quote(instrumentType=kind).type == "other"


@pytest.mark.parametrize("field", ["open", "high", "low", "close", "adj_close"])
@pytest.mark.parametrize("bad", [NAN, math.inf])
def test_row_with_a_missing_price_is_no_bar(field, bad):
    """A bar is complete in every price or left out."""
    history = _history([ROWS[0], replace(ROW, **{field: bad})])

    assert [bar.date for bar in history.bars] == [ROWS[0].date]


def test_missing_volume_is_zero():
    """Indices and currencies have bars without volume."""
    assert _history([replace(ROW, volume=NAN)]).bars[0].volume == 0


def test_history_without_a_complete_row_is_malformed():
    """An empty history does not exist."""
    with pytest.raises(ProviderMalformed, match="no usable row"):
        _history([replace(ROW, close=NAN)])


def test_split_on_an_unpriced_day_is_kept():
    """A split is a fact of its own: it counts although its day has no bar, and NaN or 0 is no split."""
    rows = [replace(ROWS[0], close=NAN, split=4.0), replace(ROW, split=NAN)]

    assert [(split.date, split.ratio) for split in _history(rows).splits] == [(date(2026, 6, 11), 4.0)]


def test_coarse_bars_without_a_market_time_use_their_own_day():
    """A weekly bar is as of the last trade, or of its first day when that is not known."""
    assert _history(ROWS[:1], "1wk").as_of == NOW
    assert _history(ROWS[:1], "1wk", regularMarketTime=None).as_of == datetime(2026, 6, 11, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize("response", [None, [], {}, {"quotes": None}, {"finance": {"error": {}}}])
def test_search_answer_without_candidates_is_malformed(response):
    """Only a list, even an empty one, is an answer to a search."""
    with pytest.raises(ProviderMalformed, match="search answer without candidates"):
        instruments_of(response, 5)


def test_search_candidates_without_a_symbol_are_skipped():
    """Yahoo mixes in companies that are not listed; they are not instruments."""
    entries = [{"name": "Private Corp."}, {"symbol": 5}, {"symbol": " "}, "text", {"symbol": "EX", "score": NAN}]

    found = instruments_of({"quotes": entries}, 5)

    assert [(item.symbol, item.name, item.type, item.prominence) for item in found] == [("EX", "EX", "other", None)]
