"""The market routes over the bundled sample."""

import pytest

from tests.app.client import AppClient, problem_of
from tests.app.figures import MOMENT

QUOTE = {
    "symbol",
    "name",
    "value",
    "currency",
    "change",
    "change_percent",
    "previous_close",
    "market_state",
    "as_of",
    "source",
    "stale",
    "delayed_by_s",
    "exchange",
    "original_value",
    "original_unit",
}
INSTRUMENT = {"symbol", "name", "exchange", "currency", "type", "timezone", "source"}
HISTORY = {
    "symbol",
    "name",
    "currency",
    "range",
    "interval",
    "timezone",
    "as_of",
    "source",
    "stale",
    "split_adjusted",
    "splits",
    "bars",
}
BAR = {"date", "open", "high", "low", "close", "adj_close", "volume"}
INDICATOR = {
    "name",
    "status",
    "value",
    "values",
    "unit",
    "period",
    "bars_used",
    "bars_needed",
    "as_of",
    "convention",
}
AS_OF = "2013-03-01T21:00:00Z"


@pytest.mark.parametrize("tail", ["quote", "price"])
def test_quote_has_its_currency_moment_and_source(sample_app: AppClient, tail):
    """Both names of the quote route give the price with currency, change, state, moment, source and age."""
    quote = sample_app.document(f"/api/symbols/AAPL/{tail}")
    assert set(quote) == QUOTE
    expected = {
        "symbol": "AAPL",
        "name": "Apple Inc.",
        "value": 430.47,
        "currency": "USD",
        "change": -10.93,
        "change_percent": pytest.approx(-2.4762, abs=1e-4),
        "previous_close": 441.4,
        "market_state": "closed",
        "as_of": AS_OF,
        "source": "sample",
        "stale": True,
        "delayed_by_s": None,
    }
    assert expected == {name: quote[name] for name in expected}


@pytest.mark.parametrize("spelling", ["aapl", "%20AAPL%20", "\uff21\uff21\uff30\uff2c"])
def test_spellings_of_a_symbol_are_one_symbol(sample_app, spelling):
    """Lower case, blanks around it and full-width letters are the same symbol."""
    assert sample_app.document(f"/api/symbols/{spelling}/quote")["symbol"] == "AAPL"


def test_identity_of_a_symbol(sample_app):
    """The identity of an instrument has name, exchange, currency, type and time zone, and no price."""
    instrument = sample_app.document("/api/symbols/IBM")
    assert set(instrument) == INSTRUMENT
    assert tuple(instrument[name] for name in ("symbol", "currency", "type", "timezone")) == (
        "IBM",
        "USD",
        "equity",
        "America/New_York",
    )


@pytest.mark.parametrize("tail", ["", "/quote", "/price", "/history", "/indicators"])
def test_unknown_symbol_is_404(sample_app, tail):
    """A symbol that nobody lists is 404 symbol_not_found on every route, with a list of suggestions."""
    problem = problem_of(sample_app.get(f"/api/symbols/ZZZZ{tail}"), 404, "symbol_not_found")
    assert problem["suggestions"] == []
    assert "'ZZZZ'" in problem["detail"]


def test_unknown_symbol_comes_with_suggestions(sample_app):
    """A symbol that is nearly the name of an instrument is answered with what may have been meant."""
    problem = problem_of(sample_app.get("/api/symbols/APPLE/quote"), 404, "symbol_not_found")
    assert problem["suggestions"] == ["AAPL"]
    assert "AAPL" in problem["detail"]


@pytest.mark.parametrize(("query", "found"), [("apple", ["AAPL"]), ("IBM", ["IBM"]), ("inc", ["AAPL", "FB", "GOOG"])])
def test_search_finds_by_name_and_symbol(sample_app, query, found):
    """A search gives candidates with symbol, name, exchange, currency and type, and says that it is complete."""
    answer = sample_app.document("/api/symbols", params={"q": query})
    assert {"items", "next_cursor", "complete"} == set(answer)
    assert (answer["next_cursor"], answer["complete"]) == (None, True)
    assert found == sorted(item["symbol"] for item in answer["items"])
    assert all(set(item) == INSTRUMENT for item in answer["items"])


def test_search_keeps_its_limit_and_may_find_nothing(sample_app):
    """A search gives at most as many candidates as asked for, and an empty list when nothing fits."""
    assert len(sample_app.document("/api/symbols?q=inc&limit=1")["items"]) == 1
    assert sample_app.document("/api/symbols?q=nosuchcompanyanywhere")["items"] == []


def test_search_with_a_regular_expression_is_plain_text(sample_app):
    """What looks like a pattern is searched for as it stands."""
    assert sample_app.document("/api/symbols", params={"q": "(a+)+$.*"})["items"] == []


def test_quotes_have_one_item_per_symbol(sample_app):
    """A batch answers in the order asked, each symbol with its quote or its own error."""
    answer = sample_app.document("/api/quotes?symbols=MSFT,ZZZZ,%20aapl,no*symbol")
    assert {"items"} == set(answer)
    items = answer["items"]
    assert [(item["symbol"], item["status"]) for item in items] == [
        ("MSFT", "ok"),
        ("ZZZZ", "error"),
        ("AAPL", "ok"),
        ("no*symbol", "error"),
    ]
    assert all({"symbol", "status", "quote", "error"} == set(item) for item in items)
    assert [item["quote"]["value"] for item in items if item["status"] == "ok"] == [27.95, 430.47]
    assert all(set(item["quote"]) == QUOTE for item in items if item["status"] == "ok")
    errors = [item["error"] for item in items if item["status"] == "error"]
    assert [error["code"] for error in errors] == ["symbol_not_found", "invalid_symbol"]
    assert all({"code", "detail", "retryable"} == set(error) for error in errors)
    assert [item["quote"] for item in items if item["status"] == "error"] == [None, None]


def test_quotes_take_50_symbols_and_no_more(sample_app):
    """50 symbols are answered; one more is 400."""
    fifty = ",".join(f"S{number}" for number in range(50))
    assert len(sample_app.document(f"/api/quotes?symbols={fifty}")["items"]) == 50
    problem_of(sample_app.get(f"/api/quotes?symbols={fifty},S50"), 400, "validation_failed")


def test_symbol_that_is_asked_twice_is_answered_once(sample_app):
    """A repeated symbol in a batch is one item."""
    items = sample_app.document("/api/quotes?symbols=AAPL,AAPL,MSFT")["items"]
    assert [item["symbol"] for item in items] == ["AAPL", "MSFT"]


def test_history_has_raw_and_adjusted_closes(sample_app):
    """A history has its range, interval, source and moment, and bars, oldest first, up to the newest one."""
    history = sample_app.document("/api/symbols/AAPL/history")
    assert set(history) == HISTORY
    assert tuple(history[name] for name in ("range", "interval", "currency", "source", "stale", "as_of")) == (
        "1y",
        "1d",
        "USD",
        "sample",
        True,
        AS_OF,
    )
    bars = history["bars"]
    assert all(set(bar) == BAR for bar in bars)
    assert (bars[0]["date"], bars[-1]["date"]) == ("2012-03-01", "2013-03-01")
    assert [bar["date"] for bar in bars] == sorted({bar["date"] for bar in bars})
    assert (bars[-1]["close"], bars[-1]["adj_close"]) == (430.47, 430.47)
    assert bars[0]["adj_close"] < bars[0]["close"] == 544.47
    assert (history["split_adjusted"], history["splits"]) == (False, [])


@pytest.mark.parametrize(
    ("asked", "told", "first", "count"),
    [
        ("5d", "5d", "2013-02-25", 5),
        ("1mo", "1mo", "2013-02-01", 20),
        ("1m", "1mo", "2013-02-01", 20),
        ("3m", "3mo", "2012-12-03", 61),
        ("6m", "6mo", "2012-09-04", 122),
        ("ytd", "ytd", "2013-01-02", 41),
        ("1y", "1y", "2012-03-01", 251),
        ("2y", "2y", "2012-01-03", 291),
        ("max", "max", "2012-01-03", 291),
    ],
)
def test_ranges_end_at_the_newest_bar(sample_app, asked, told, first, count):
    """Each range counts back from the newest bar, under both spellings of months."""
    history = sample_app.document(f"/api/symbols/AAPL/history?range={asked}")
    bars = history["bars"]
    assert (told, first, "2013-03-01") == (history["range"], bars[0]["date"], bars[-1]["date"])
    assert abs(count - len(bars)) <= 1


@pytest.mark.parametrize(("interval", "most"), [("1d", 70), ("1wk", 15), ("1mo", 4)])
def test_intervals_join_bars(sample_app, interval, most):
    """Weekly and monthly bars are joined from daily ones and end at the same close."""
    history = sample_app.document(f"/api/symbols/AAPL/history?range=3mo&interval={interval}")
    assert interval == history["interval"]
    assert most * 0.7 <= len(history["bars"]) <= most
    assert history["bars"][-1]["close"] == 430.47
    assert all(bar["low"] <= bar["close"] <= bar["high"] for bar in history["bars"])


def test_indicators_tell_period_bars_and_convention(sample_app):
    """Each indicator has value, unit, period, the bars it used and its convention; compound ones have their lines."""
    answer = sample_app.document("/api/symbols/AAPL/indicators?names=rsi,macd,sma50,stoch,bbands,atr")
    assert {"symbol", "currency", "as_of", "source", "stale", "indicators"} == set(answer)
    readings = {item["name"]: item for item in answer["indicators"]}
    assert list(readings) == ["rsi14", "macd", "sma50", "stoch", "bbands20", "atr14"]
    assert all(set(item) == INDICATOR and item["status"] == "ok" for item in readings.values())
    assert all(MOMENT.fullmatch(item["as_of"]) and item["convention"] for item in readings.values())
    assert {"macd", "signal", "histogram"} == set(readings["macd"]["values"])
    assert {"upper", "middle", "lower"} == set(readings["bbands20"]["values"])
    assert (readings["rsi14"]["unit"], readings["rsi14"]["period"]) == ("points", 14)
    assert readings["sma50"]["unit"] == "USD"
    assert round(readings["sma50"]["value"], 4) == 485.1072


def test_default_indicators(sample_app):
    """Without names the usual set comes, among it both long averages."""
    answer = sample_app.document("/api/symbols/MSFT/indicators")
    assert {"sma50", "sma200", "rsi14", "macd"} <= {item["name"] for item in answer["indicators"]}


def test_too_few_bars_are_insufficient_data(sample_app):
    """FB has 196 bars: its 200-day average is insufficient data without a value, and its RSI is there."""
    readings = sample_app.document("/api/symbols/FB/indicators?names=sma200,rsi")["indicators"]
    average, rsi = readings
    assert tuple(average[name] for name in ("name", "status", "value", "values")) == (
        "sma200",
        "insufficient_data",
        None,
        {},
    )
    assert (average["bars_used"], average["bars_needed"]) == (196, 200)
    assert (rsi["status"], rsi["bars_used"]) == ("ok", 196)


def test_insufficient_data_are_said_in_chat(sample_app):
    """Asked for the trend of FB, the assistant says that there are too few days for the long average."""
    answer = sample_app.ask("What is the trend of FB?")
    assert "too few trading days for the 200-day average" in answer["response"]
    assert not any(fact["name"] == "sma200" for fact in answer["facts"])


@pytest.mark.parametrize("name", ["foo", "sma50x", "sma1", "sma401", "rsi14;DROP"])
def test_unknown_indicator_names_the_known_ones(sample_app, name):
    """An indicator that does not exist is 400."""
    problem_of(sample_app.get("/api/symbols/AAPL/indicators", params={"names": name}), 400)


def test_answers_are_not_to_be_stored(sample_app):
    """Market data answers carry no-store: their age is in them, not in a proxy."""
    assert sample_app.get("/api/symbols/AAPL/quote").headers["cache-control"] == "no-store"
