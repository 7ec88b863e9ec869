"""What the rules read out of a question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.llm.analyst.question import read_question
from shared.market.symbols import parse_symbol


@pytest.mark.parametrize(
    ("text", "tickers", "names"),
    [
        ("How is AAPL doing?", ["AAPL"], []),
        ("How is $aapl doing?", ["AAPL"], []),
        ("$TSLA vs $msft", ["TSLA", "MSFT"], []),
        ("AAPL, MSFT and IBM", ["AAPL", "MSFT", "IBM"], []),
        ("AAPL/MSFT", ["AAPL", "MSFT"], []),
        ("compare AAPL to MSFT", ["AAPL", "MSFT"], []),
        ("AAPL's price", ["AAPL"], []),
        ("AAPL\u2019s RSI?", ["AAPL"], []),
        ("AAPL AAPL aapl", ["AAPL"], ["aapl"]),
        ("What is ^GSPC at?", ["^GSPC"], []),
        ("How is 0700.HK?", ["0700.HK"], []),
        ("How is 7203.T.", ["7203.T"], []),
        ("BRK.B or BRK-B?", ["BRK-B"], []),
        ("SAP.DE and VOD.L", ["SAP.DE", "VOD.L"], []),
        ("EURUSD=X", ["EURUSD=X"], []),
        ("BTC-USD", ["BTC-USD"], []),
        ("How is Apple doing?", [], ["Apple"]),
        ("how is apple doing", [], ["apple"]),
        ("Apple's trend", [], ["Apple"]),
        ("How is Johnson & Johnson?", [], ["Johnson & Johnson"]),
        ("Is AT&T a good company?", [], ["AT&T"]),
        ("Coca-Cola vs PepsiCo", [], ["Coca-Cola", "PepsiCo"]),
        ("compare apple with microsoft", [], ["apple", "microsoft"]),
        (
            "Apple, Microsoft and International Business Machines",
            [],
            ["Apple", "Microsoft", "International Business Machines"],
        ),
        ("What does the RSI of IBM mean?", ["IBM"], []),
        ("Should I BUY NVDA NOW?", ["NVDA", "NOW"], []),
        ("What is the PE and EPS of GOOG in USD?", ["GOOG"], []),
        ("What is the P/E of GOOG, and its EV/EBITDA?", ["GOOG"], []),
        ("HOW IS APPLE DOING?", [], ["APPLE"]),
        ("PLEASE COMPARE IBM WITH MSFT", [], ["IBM", "MSFT"]),
        ("AAPL MSFT", ["AAPL", "MSFT"], []),
        ("tell me about HP", ["HP"], []),
        ("Hello", [], []),
        ("What can you do?", [], []),
        ("What is the weather?", [], ["weather"]),
        ("", [], []),
        ("???", [], []),
        ("5 % of 100", [], []),
        ("price in 2012 of Apple", [], ["Apple"]),
    ],
)
def test_mentions(text, tickers, names):
    """Symbols by their looks, everything else that is no ordinary word as a name, in order, once each."""
    question = read_question(text)

    assert (tickers, names) == (list(question.tickers), list(question.names))


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("price of AAPL", {"price"}),
        ("AAPL", set()),
        ("is AAPL overbought", {"momentum"}),
        ("how volatile is AAPL", {"volatility"}),
        ("AAPL vs MSFT", {"comparison"}),
        ("should I sell AAPL", {"advice"}),
        ("what does the RSI mean", {"momentum", "meaning"}),
        ("the trend of AAPL this year", {"trend", "performance"}),
    ],
)
def test_topics(text, topics):
    """What a question wants to know, by its words."""
    assert topics == read_question(text).topics


@pytest.mark.parametrize(
    ("text", "only"), [("price of AAPL", True), ("AAPL", False), ("price and trend of AAPL", False)]
)
def test_only_the_price_is_wanted(text, only):
    """Nothing else is looked up for it."""
    assert only is read_question(text).wants_only_price


@pytest.mark.parametrize(
    ("text", "tickers"),
    [
        ("How is it doing?\n\n(Symbols in view: AAPL, 0700.HK)", ["AAPL", "0700.HK"]),
        ("How is IBM doing?\n\n(Symbols in view: AAPL)", ["IBM"]),
        ("How is it?\n\n(Symbols in view: BRK.B)", ["BRK-B"]),
        ("HOW IS IT?\n\n(Symbols in view: AAPL)", ["AAPL"]),
    ],
)
def test_hints_count_when_nothing_is_named(text, tickers):
    """What the client shows is meant by 'it', and by nothing else."""
    assert tickers == list(read_question(text).tickers)


@pytest.mark.parametrize("text", ["hi", "Hello!", "good morning", "thank you", "who are you?", "help"])
def test_greetings(text):
    """They need no company."""
    assert read_question(text).greeting


@pytest.mark.parametrize("text", ["history of AAPL", "Hilton?", "What is AAPL?"])
def test_other_questions_are_no_greetings(text):
    """A word that begins like one is none."""
    assert not read_question(text).greeting


@given(st.text(max_size=300))
def test_any_text_is_read(text):
    """No text makes the reader fail; mentions are few, and every ticker is a symbol in its neutral form."""
    question = read_question(text)

    assert len(question.tickers) <= 5
    assert len(question.names) <= 5
    assert all(ticker == parse_symbol(ticker) for ticker in question.tickers)
    assert all(question.names)
