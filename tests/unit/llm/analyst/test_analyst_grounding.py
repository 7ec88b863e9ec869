"""Every answer of the analyst over the sample passes the check, whichever companies and however it is asked."""

import itertools

import pytest

from shared.llm.analyst.client import OfflineAnalyst
from shared.market.providers.sample import SampleProvider
from tests.unit.fakes.agent import an_agent, ask
from tests.unit.fakes.source import a_market

PAIRS = list(itertools.permutations(["AAPL", "FB", "GOOG", "IBM", "MSFT"], 2))
TEMPLATES = [
    "How is {0} doing compared to {1}?",
    "Compare {0} with {1}",
    "{0} vs {1}",
    "{0}",
    "price of {0}",
    "What are the prices of {0} and {1}?",
    "What is the trend of {0}?",
    "Is {0} overbought?",
    "How volatile is {0}, and how volatile is {1}?",
    "Which one is riskier, {0} or {1}?",
    "Should I buy {0}?",
    "Should I sell {0} and buy {1}?",
    "Is {0} better than {1}?",
    "What does the RSI of {0} mean?",
    "Explain the MACD of {0} and {1}",
    "How did {0} perform last year?",
    "How far is {0} below its high?",
    "Did {0} fall 99.9 % in 2044?",
    "Will {0} reach 1,000,000 USD by 5 May 2031?",
    "tell me everything about {0}, {1}",
    "${0} or ${1}",
    "{0}'s momentum",
    "WHAT IS {0} WORTH?",
    "hello, how are {0} and {1}?",
    "Is {0} above its 200-day average?",
    "What is the drawdown of {0} and the average volume of {1}?",
]


@pytest.fixture(scope="module")
def agent():
    return an_agent(a_market(SampleProvider()))


@pytest.mark.parametrize("template", TEMPLATES)
async def test_every_answer_is_grounded(template, agent):
    """For all ordered pairs of companies: nothing is withheld, something is said, no note is due."""
    for first, second in PAIRS:
        answer = await ask(OfflineAnalyst(), question=template.format(first, second), agent=agent)

        assert answer.error is None
        assert (answer.report.grounding.ok, answer.report.grounding.unverified) == (True, ())
        assert f"({first})" in answer.text
        assert "withheld" not in answer.text
        assert "Note on the data" not in answer.text
        assert answer.report.facts
