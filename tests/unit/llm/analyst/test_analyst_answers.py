"""Whole answers of the offline analyst, through the agent and its checks."""

import re

import pytest

from shared.llm.analyst.client import MODEL_ID, OfflineAnalyst
from shared.llm.types import ModelInfo
from shared.market.provider import ProviderDown
from shared.market.providers.sample import SampleProvider
from shared.market.types import Instrument
from shared.resilience.deadline import Deadline
from tests.unit.fakes.agent import Answer, an_agent, ask
from tests.unit.fakes.source import CountingSource, a_history, a_market, a_quote

CAVEAT = "These figures are bundled sample data as of 2013-03-01, not current prices."
SIGNATURE = "This summary was written by rules from the data above; no language model was used."


async def answer(question: str, market=None, **arguments) -> Answer:
    outcome = await ask(OfflineAnalyst(), question=question, agent=an_agent(market, **arguments))
    assert outcome.error is None
    assert outcome.report.grounding.ok, outcome.report.grounding
    return outcome


@pytest.fixture
def source() -> CountingSource:
    source = CountingSource()
    source.listings["apple"] = (Instrument("AAPL", "Apple Inc."), Instrument("APLE", "Apple Hospitality REIT, Inc."))
    return source


def knows(source: CountingSource, symbol: str, name: str, value: float = 173.93, currency: str = "USD") -> None:
    source.quotes[symbol] = a_quote(symbol, value, name=name, currency=currency)
    source.histories[symbol] = a_history([value - 30 + day / 10 for day in range(300)], symbol, name=name)


async def test_company_by_name():
    """A name becomes its symbol, its price has currency and date, and the sample is said in words."""
    text = (await answer("How is Apple doing?")).text

    assert "Apple Inc. (AAPL) last closed at 430.47 USD on 2013-03-01, down 10.93 USD (-2.48%)" in text
    assert text.startswith(CAVEAT)
    assert text.endswith(SIGNATURE)


async def test_sample_caveat_is_said_once():
    """In the analyst's own words, without another note behind it."""
    assert (await answer("How is Apple doing?")).text.count("sample") == 1


@pytest.mark.parametrize(
    ("question", "pattern"),
    [
        ("What is the price of AAPL?", r"last closed at 430\.47 USD"),
        ("What is the trend of AAPL?", r"Trend: the close is 11\.26% below its 50-day average of 485\.11 USD"),
        ("Is AAPL overbought?", r"the RSI\(14\) is 32\.8, neutral, on the weaker side"),
        ("How volatile is AAPL?", r"Volatility: 32\.87% a year; the largest fall in the window was 38\.05%"),
        ("How did AAPL perform?", r"From 2012-03-01 to 2013-03-01 the price is down 20\.94%, -19\.77% with dividends"),
        ("What is the MACD of AAPL?", r"The MACD line \(-12\.71\) is below its signal line \(-12\.26\)"),
    ],
)
async def test_each_topic_has_its_sentence(question, pattern):
    """With the figures of the shipped rows."""
    assert re.search(pattern, (await answer(question)).text)


@pytest.mark.parametrize(
    ("symbol", "verdict"),
    [
        ("IBM", "which is what an uptrend looks like"),
        ("AAPL", "which is what a downtrend looks like"),
        ("MSFT", "so the shorter and the longer trend disagree"),
    ],
)
async def test_trend_verdict_needs_both_averages(symbol, verdict):
    """Above both, below both, or between them; with one average alone there is no verdict."""
    assert verdict in (await answer(f"What is the trend of {symbol}?")).text
    assert "trend looks like" not in (await answer("What is the trend of FB?")).text


async def test_comparison_across_sources_is_marked():
    """Series of two sources side by side are said to be so."""
    first, second = CountingSource("first"), CountingSource("second")
    knows(first, "AAA", "Aaa Corp")
    knows(second, "BBB", "Bbb Corp")
    for name in ("quote", "history"):
        setattr(first, name, _failing_for("BBB", getattr(first, name)))
    text = (await answer("AAA vs BBB", a_market(first, second))).text

    assert "Careful: the series come from different sources: first, second." in text
    assert "Careful" not in (await answer("AAPL vs MSFT")).text


def _failing_for(symbol: str, call):
    async def flaky(asked: str, *rest: str):
        if asked == symbol:
            raise ProviderDown("first")
        return await call(asked, *rest)

    return flaky


async def test_price_alone_is_short():
    """One paragraph of figures, one call."""
    outcome = await answer("price of AAPL")

    assert [tool.name for tool in outcome.report.tools] == ["get_quote"]
    assert "Trend" not in outcome.text


async def test_comparison_of_two():
    """Side by side over one window, with the spread from the tool."""
    text = (await answer("How is AAPL doing compared to MSFT?")).text

    assert "Side by side, 2012-03-01 to 2013-03-01, dividends included: MSFT -10.82% and AAPL -19.77%." in text
    assert "MSFT did better by 8.95 percentage points." in text
    assert "The calmer one was MSFT; volatility a year: MSFT 19.71% and AAPL 32.87%." in text


@pytest.mark.parametrize(
    "question",
    [
        "Compare AAPL, MSFT, IBM, GOOG and FB",
        "Compare Apple, Microsoft, IBM, Google and Facebook",
        "Compare Apple, Microsoft, Google and Facebook",
        "AAPL MSFT GOOG FB trend",
    ],
)
async def test_several_companies_are_compared_within_the_limit_of_calls(question):
    """Each has its price, the comparison is there, and no instruction meant for a model is shown."""
    text = (await answer(question)).text

    assert "Side by side" in text
    for symbol in ("AAPL", "MSFT", "GOOG", "FB"):
        assert f"({symbol}) last closed at" in text
    assert "answer with what you have" not in text


@pytest.mark.parametrize("tool_calls", [1, 2, 3, 5, 9])
async def test_tight_limit_is_said_in_plain_words(tool_calls):
    """With any limit the answer says that not everything was looked up, and claims nothing about what was not."""
    text = (await answer("Compare Apple, Microsoft and Google", tool_calls=tool_calls)).text

    assert "ask about fewer companies" in text
    assert "answer with what you have" not in text
    assert "I know no listed company" not in text


async def test_behaviour_6_ambiguous_name_asks_back(source):
    """Both candidates, no price, no quote call."""
    outcome = await answer("How is apple doing?", a_market(source))

    assert (
        "Which company do you mean by 'apple'? I found Apple Inc. (AAPL) and Apple Hospitality REIT, Inc. (APLE)."
        in (outcome.text)
    )
    assert [item.symbol for item in outcome.report.needs_clarification.candidates] == ["AAPL", "APLE"]
    assert source.count["quote"] == 0


async def test_behaviour_6_candidates_with_digits_may_be_named(source):
    """0700.HK among the candidates does not get the question withheld."""
    source.listings["tencent"] = (Instrument("0700.HK", "Tencent Holdings"), Instrument("TME", "Tencent Music"))

    assert "Tencent Holdings (0700.HK)" in (await answer("How is tencent?", a_market(source))).text


async def test_behaviour_7_hp_is_not_hpq(source):
    """A symbol that is not listed stays itself; the near one is only offered."""
    source.listings["hp"] = (Instrument("HPQ", "HP Inc."),)
    knows(source, "HPQ", "HP Inc.")
    outcome = await answer("How is HP doing?", a_market(source))

    assert "HP: No instrument is listed under 'HP'. Did you mean HPQ?" in outcome.text
    assert (outcome.report.facts, ("quote", "HPQ") in source.calls) == ((), False)


async def test_behaviour_8_unknown_name_and_outage_are_worded_apart(source):
    """One says that the name is not known, the other that the source is down."""
    unknown = await answer("How is Qwertz doing?", a_market(source))
    source.failure = ProviderDown("first")
    outage = await answer("How is Zuiop doing?", a_market(source))

    assert "I know no listed company called 'Qwertz'. Check the spelling, or give its ticker." in unknown.text
    assert "outage" not in unknown.text
    assert "I could not look up 'Zuiop': the market data source cannot be reached right now" in outage.text
    assert "I know no" not in outage.text


async def test_behaviour_8_outage_of_a_symbol_is_worded_as_one(source):
    """The source's name and that it says nothing about the symbol."""
    source.failure = ProviderDown("first")

    assert (
        "AAPL: Market data cannot be reached right now (source: first); this says nothing about the symbol."
        in (await answer("How is AAPL?", a_market(source))).text
    )


async def test_stand_in_says_why_it_is_asked(source):
    """The sample answers for a source that is down, and says so."""
    source.failure = ProviderDown("first")
    text = (await answer("How is AAPL?", a_market(source, SampleProvider()))).text

    assert "as of 2013-03-01, not current prices, because first cannot be reached right now." in text


@pytest.mark.parametrize("question", ["How is BRK.B doing compared to AAPL?", "BRK-B vs AAPL", "$brk.b vs $aapl"])
async def test_behaviour_9_share_class_is_compared_like_any_other(source, question):
    """However the class is written, the comparison has its figures."""
    knows(source, "BRK-B", "Berkshire Hathaway Inc.")
    knows(source, "AAPL", "Apple Inc.")
    text = (await answer(question, a_market(source))).text

    assert "Side by side" in text
    assert "Berkshire Hathaway Inc. (BRK-B) trades at" in text


@pytest.mark.parametrize(
    ("symbol", "name", "currency"),
    [
        ("MMM", "3M Company", "USD"),
        ("QQQ", "Invesco QQQ Trust, Series 1", "USD"),
        ("TLT", "iShares 20+ Year Treasury Bond ETF", "USD"),
        ("0700.HK", "Tencent Holdings Limited", "HKD"),
        ("7203.T", "Toyota Motor Corporation", "JPY"),
        ("^N225", "Nikkei 225", "JPY"),
        ("^GSPC", "S&P 500", "USD"),
        ("3382.T", "Seven & i Holdings Co., Ltd.", "JPY"),
        ("EURUSD=X", "EUR/USD", "USD"),
        ("BTC-USD", "Bitcoin USD", "USD"),
        ("VOD.L", "Vodafone Group Plc", "GBP"),
        ("FRA", "2020 Bulkers Ltd.", "NOK"),
    ],
)
async def test_behaviour_9_names_and_symbols_with_digits_are_answered(source, symbol, name, currency):
    """The digits of a name are no figures: nothing of the answer is withheld."""
    knows(source, symbol, name, currency=currency)
    text = (await answer(f"How is {symbol} doing?", a_market(source))).text

    assert f"{name} ({symbol}) trades at 173.93 {currency} as of 2026-06-12 18:55 UTC" in text


@pytest.mark.parametrize(
    "question",
    [
        "Should I buy AAPL?",
        "Should I put my savings in FB?",
        "Is MSFT a good investment?",
        "AAPL or IBM: which one should I sell?",
        "Do you recommend GOOG?",
    ],
)
async def test_behaviour_24_advice_is_declined_with_facts_on_both_sides(question):
    """Facts, risks, and no recommendation, promise or target."""
    text = (await answer(question)).text

    assert "Whether to buy, sell or hold is a decision I do not make for you" in text
    assert "Risks that these figures do not show" in text
    assert re.search(r"In favour of|Against", text)
    assert not re.search(r"(?i)\byou should\b|\bi recommend\b|guarantee|price target|\bbuy it\b|\bsell it\b", text)


async def test_balance_follows_the_figures():
    """FB lost, is weakening and fell deeply; nothing is in its favour."""
    text = (await answer("Should I buy FB?")).text

    assert "Against FB: a loss over the window, weakening momentum and a deep fall on the way." in text
    assert "In favour of FB" not in text


async def test_meaning_is_explained():
    """What an indicator says and does not say; its levels pass the check."""
    text = (await answer("What does the RSI of IBM mean?")).text

    assert (
        "The RSI weighs recent gains against recent losses; below 30 is called oversold, above 70 overbought." in text
    )


async def test_behaviour_15_too_few_days_are_said():
    """FB has no 200-day average, and the answer says why."""
    assert "There are too few trading days for the 200-day average." in (await answer("What is the trend of FB?")).text


async def test_behaviour_15_newly_listed_company_has_a_price_and_no_indicators(source):
    """Ten bars: the price is told, and that there are too few of them."""
    source.quotes["NEW"] = a_quote("NEW", 20.0, name="New Corp")
    source.histories["NEW"] = a_history([10.0 + day for day in range(10)], "NEW", name="New Corp")
    text = (await answer("How is NEW doing?", a_market(source))).text

    assert "New Corp (NEW) trades at 20.00 USD" in text
    assert "NEW has 10 daily bars, too few for" in text


@pytest.mark.parametrize("question", ["hello", "Hi there!", "What can you do?", "thanks"])
async def test_greeting_says_what_can_be_asked(question):
    """Without any look-up."""
    outcome = await answer(question)

    assert outcome.text.startswith("Hello! I look up listed companies")
    assert outcome.report.tools == ()


async def test_question_without_a_company_asks_for_one():
    """Never a guess."""
    assert (await answer("How is the market?")).text.startswith(
        "I could not find a company or symbol in your question."
    )


async def test_hint_of_the_client_answers_it():
    """'How is it doing?' is about what is in view."""
    outcome = await ask(OfflineAnalyst(), question="How is it doing?", symbols=("IBM",))

    assert "(IBM) last closed at 202.91 USD" in outcome.text


async def test_same_question_gives_the_same_answer():
    """Deterministic, facts and their numbers included."""
    first, second = [await answer("Compare Apple with IBM") for _ in range(2)]

    assert (first.text, first.report.facts) == (second.text, second.report.facts)


async def test_paragraphs_are_never_empty():
    """No blank line stands for something that was not there."""
    for question in ("AAPL vs MSFT", "Should I buy AAPL or ZZZ9?", "HP", "hello"):
        assert all((await answer(question)).text.split("\n\n"))


async def test_list_of_models_has_one():
    """And nobody has to be asked for it."""
    analyst = OfflineAnalyst()

    assert await analyst.list_models(Deadline.after(1)) == (ModelInfo(MODEL_ID, owned_by="stock-assistant"),)
    assert (analyst.name, analyst.follows_instructions) == ("offline", False)
    await analyst.aclose()
