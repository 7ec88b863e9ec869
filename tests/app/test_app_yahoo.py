"""The app over Yahoo: names that are kept, units that are normalised, and an outage that is called one."""

from dataclasses import replace

import pytest

from tests.app.client import STREAM, AppClient, problem_of, stream_of
from tests.app.figures import MOMENT, check_facts, unsourced


def test_quote_of_yahoo(yahoo_app: AppClient):
    """A live quote has source yahoo and the last price of the listing."""
    quote = yahoo_app.document("/api/symbols/AAPL/quote")
    assert tuple(quote[name] for name in ("symbol", "name", "currency", "source", "value")) == (
        "AAPL",
        "Apple Inc.",
        "USD",
        "yahoo",
        430.47,
    )
    assert MOMENT.fullmatch(quote["as_of"])


def test_share_class_is_asked_for_as_yahoo_spells_it(yahoo_app, yahoo):
    """BRK.B is the BRK-B of Yahoo, and is called so in the answer."""
    assert yahoo_app.document("/api/symbols/BRK.B/quote")["symbol"] == "BRK-B"
    asked = [path for path in yahoo.paths() if "BRK" in path]
    assert asked
    assert all(path.endswith("BRK-B") for path in asked)


@pytest.mark.parametrize(("symbol", "currency"), [("0700.HK", "HKD"), ("%5EGSPC", "USD"), ("EURUSD=X", "USD")])
def test_suffixes_and_signs_of_symbols_are_kept(yahoo_app, symbol, currency):
    """Foreign suffixes, indices and currency pairs reach Yahoo as they are."""
    quote = yahoo_app.document(f"/api/symbols/{symbol}/quote")
    assert symbol.replace("%5E", "^") == quote["symbol"]
    assert quote["value"] > 0
    if symbol == "0700.HK":
        assert currency == quote["currency"]


def test_pence_become_pounds(yahoo_app):
    """A price in pence is answered in pounds, with the exchange's own number and unit beside it."""
    quote = yahoo_app.document("/api/symbols/VOD.L/quote")
    assert (quote["currency"], quote["original_unit"]) == ("GBP", "GBp")
    assert quote["original_value"] == pytest.approx(73.42)
    assert quote["value"] == pytest.approx(0.7342)
    history = yahoo_app.document("/api/symbols/VOD.L/history?range=5d")
    assert history["currency"] == "GBP"
    assert history["bars"][-1]["close"] == pytest.approx(0.7342)


def test_chat_over_yahoo_names_it_as_the_source(yahoo_app):
    """Facts of a live answer have the source yahoo, and the text does not speak of a sample."""
    answer = yahoo_app.ask("price of MSFT?")
    check_facts(answer["facts"])
    assert {"yahoo"} == {fact["source"] for fact in answer["facts"]}
    assert "sample" not in answer["response"]
    assert unsourced(answer["response"], answer["facts"]) == []


def test_unknown_symbol_of_yahoo_is_404(yahoo_app, yahoo):
    """What Yahoo does not list is 404, and is not asked for again at once."""
    problem_of(yahoo_app.get("/api/symbols/NOSUCH/quote"), 404, "symbol_not_found")
    asked = len([path for path in yahoo.paths() if "chart/NOSUCH" in path])
    problem_of(yahoo_app.get("/api/symbols/NOSUCH/quote"), 404, "symbol_not_found")
    assert asked == len([path for path in yahoo.paths() if "chart/NOSUCH" in path]) > 0


def test_good_symbols_of_a_batch_survive_bad_ones(yahoo_app):
    """In a batch over Yahoo the unknown symbol has its own error and the others their quotes."""
    items = yahoo_app.document("/api/quotes?symbols=AAPL,NOSUCH,VOD.L")["items"]
    assert [item["status"] for item in items] == ["ok", "error", "ok"]
    assert (items[1]["error"]["code"], items[1]["error"]["retryable"]) == ("symbol_not_found", False)


def test_health_with_yahoo_up(yahoo_app):
    """While Yahoo answers, health is healthy."""
    yahoo_app.document("/api/symbols/AAPL/quote")
    health = yahoo_app.document("/api/health")
    assert (health["status"], health["checks"]["market_data"]) == ("healthy", "ok")


@pytest.mark.parametrize("tail", ["", "/quote", "/price", "/history", "/indicators"])
def test_outage_is_503_and_never_an_unknown_symbol(outage_app, tail):
    """While Yahoo is down every symbol, known or not, is 503 market_data_unavailable, worth another try."""
    for symbol in ("AAPL", "NOSUCH"):
        problem = problem_of(outage_app.get(f"/api/symbols/{symbol}{tail}"), 503, "market_data_unavailable")
        assert "says nothing about the symbol" in problem["detail"]
        assert "suggestions" not in problem


def test_outage_of_the_search_is_503(outage_app):
    """A search that nobody can answer is 503 and not an empty list."""
    problem_of(outage_app.get("/api/symbols?q=apple"), 503, "market_data_unavailable")


def test_outage_in_a_batch_is_told_per_symbol(outage_app):
    """In a batch an outage is the error of each symbol, and may be tried again."""
    items = outage_app.document("/api/quotes?symbols=AAPL,NOSUCH")["items"]
    assert [(item["error"]["code"], item["error"]["retryable"]) for item in items] == [
        ("market_data_unavailable", True)
    ] * 2


def test_symbol_that_cannot_be_one_is_400_also_in_an_outage(outage_app):
    """What is no symbol is refused without asking anybody."""
    problem_of(outage_app.get("/api/symbols/no*symbol/quote"), 400, "invalid_symbol")


@pytest.mark.parametrize("streamed", [False, True])
def test_chat_in_an_outage_says_so_without_a_figure(outage_app, streamed):
    """Asked for a price during an outage, the assistant says that the source cannot be reached and states no figure."""
    if streamed:
        stream = outage_app.tell("price of AAPL?")
        text, facts = stream.text, stream.end["facts"]
        assert "failed" in {frame["status"] for frame in stream.tools}
    else:
        answer = outage_app.ask("price of AAPL?")
        text, facts = answer["response"], answer["facts"]
    assert "cannot be reached" in text
    assert facts == []
    assert unsourced(text, []) == []


def test_health_is_degraded_while_yahoo_is_down(outage_app):
    """An outage of market data degrades: 200, the check is down, and liveness does not care."""
    outage_app.get("/api/symbols/AAPL/quote")
    response = outage_app.get("/api/health")
    health = response.json()
    assert (response.status_code, health["status"], health["checks"]["market_data"]) == (200, "degraded", "down")
    assert outage_app.document("/api/health/live") == {"status": "alive"}


@pytest.mark.parametrize("streamed", [False, True])
def test_sample_stands_in_and_the_answer_says_so(stand_in_app, streamed):
    """On a laptop without internet access the sample answers, named in words and in every fact."""
    question = "How is AAPL doing?"
    if streamed:
        stream = stream_of(stand_in_app.post(STREAM, {"message": question}))
        text, facts = stream.text, stream.end["facts"]
    else:
        answer = stand_in_app.ask(question)
        text, facts = answer["response"], answer["facts"]
    assert "bundled sample data as of 2013-03-01, not current prices" in text
    assert "yahoo cannot be reached" in text
    assert {("sample", True)} == {(fact["source"], fact["stale"]) for fact in facts}
    assert unsourced(text, facts) == []


def test_quote_of_the_stand_in_is_labelled(stand_in_app):
    """A quote of the stand-in has the source sample and is stale."""
    quote = stand_in_app.document("/api/symbols/AAPL/quote")
    assert (quote["source"], quote["stale"], quote["market_state"]) == ("sample", True, "closed")


def test_symbol_that_the_stand_in_does_not_have_is_an_outage(stand_in_app):
    """A symbol outside the sample is 503 while Yahoo is down: Yahoo might know it."""
    problem = problem_of(stand_in_app.get("/api/symbols/TSLA/quote"), 503, "market_data_unavailable")
    assert "AAPL" in problem["detail"]


def test_search_of_the_stand_in_says_that_it_is_not_complete(stand_in_app):
    """A search answered by the stand-in is marked incomplete."""
    answer = stand_in_app.document("/api/symbols?q=apple")
    assert ([item["symbol"] for item in answer["items"]], answer["complete"]) == (["AAPL"], False)


def test_health_is_degraded_while_the_sample_stands_in(stand_in_app):
    """A first choice that is down degrades health even while its stand-in answers."""
    stand_in_app.document("/api/symbols/AAPL/quote")
    health = stand_in_app.document("/api/health")
    assert (health["status"], health["checks"]["market_data"]) == ("degraded", "down")


def test_batch_of_50_does_not_wear_yahoo_out(yahoo_app, yahoo):
    """A full batch is answered whole: its size alone neither fails a symbol nor makes the source count as down."""
    names = [f"LST{number}" for number in range(50)]
    yahoo.listings |= {name: replace(yahoo.listings["AAPL"], symbol=name) for name in names}
    items = yahoo_app.document(f"/api/quotes?symbols={','.join(names)}")["items"]
    assert [(item["symbol"], item["status"]) for item in items] == [(name, "ok") for name in names]
    assert yahoo_app.document("/api/symbols/SPY/quote")["source"] == "yahoo"
