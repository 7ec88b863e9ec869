"""What the analyst looks up next."""

import json

import pytest

from shared.llm.analyst.findings import Findings
from shared.llm.analyst.plan import identify, lookups
from shared.llm.analyst.question import read_question
from shared.llm.types import AssistantMessage, ToolCall, ToolMessage

APPLE = {"ok": True, "resolved": True, "candidates": [{"symbol": "AAPL", "name": "Apple Inc."}]}
TWO = {"ok": True, "resolved": False, "candidates": [{"symbol": "AAPL"}, {"symbol": "APLE"}]}
NOTHING = {"ok": True, "notes": {}}
OK = {"ok": True}


def failed(code: str) -> dict:
    return {"ok": False, "error": {"code": code, "message": code}}


def known(*results: tuple[str, dict, dict]) -> Findings:
    calls = tuple(ToolCall(f"c{n}", name, json.dumps(arguments)) for n, (name, arguments, _) in enumerate(results))
    outputs = [ToolMessage(f"c{n}", name, json.dumps(output)) for n, (name, _, output) in enumerate(results)]
    return Findings.read([AssistantMessage("", calls), *outputs])


def plan(text: str, *results: tuple[str, dict, dict]):
    question, findings = read_question(text), known(*results)
    subjects = identify(question, findings)
    return subjects, [(name, *arguments.values()) for name, arguments in lookups(question, subjects, findings)]


def search(query: str, output: dict) -> tuple[str, dict, dict]:
    return "search_symbol", {"query": query}, output


def quote(symbol: str, output: dict) -> tuple[str, dict, dict]:
    return "get_quote", {"symbol": symbol}, output


def test_names_are_searched_first():
    """Nothing else is asked while a name is open."""
    assert plan("AAPL and Microsoft")[1] == [("search_symbol", "Microsoft")]


def test_symbols_are_quoted_before_anything_else():
    """Whatever has no quote is not asked for more."""
    assert plan("AAPL and MSFT")[1] == [("get_quote", "AAPL"), ("get_quote", "MSFT")]


def test_listed_symbols_are_looked_into():
    """History and indicators of each, and the comparison of those that are listed."""
    wanted = plan("AAPL, MSFT and ZZZ", quote("AAPL", OK), quote("MSFT", OK), quote("ZZZ", failed("symbol_not_found")))[
        1
    ]

    assert sorted(wanted, key=str) == [
        ("compare", ["AAPL", "MSFT"]),
        ("get_history_summary", "AAPL"),
        ("get_history_summary", "MSFT"),
        ("get_indicators", "AAPL"),
        ("get_indicators", "MSFT"),
    ]


def test_comparison_is_not_the_last_thing_to_be_looked_up():
    """Where a limit cuts the list, the comparison is worth more than another indicator."""
    wanted = plan("AAPL vs MSFT", quote("AAPL", OK), quote("MSFT", OK))[1]

    assert wanted[0] == ("compare", ["AAPL", "MSFT"])


def test_one_symbol_is_compared_with_nothing():
    """A comparison needs two."""
    assert "compare" not in [name for name, *_ in plan("AAPL", quote("AAPL", OK))[1]]


def test_price_alone_needs_a_quote_alone():
    """One call answers it."""
    assert plan("price of AAPL", quote("AAPL", OK))[1] == []


def test_nothing_is_looked_up_for_an_ambiguous_name():
    """The question comes first."""
    subjects, wanted = plan("apple", search("apple", TWO))

    assert ([*subjects.ambiguous], subjects.symbols, wanted) == (["apple"], [], [])


def test_clear_symbol_is_looked_up_beside_an_ambiguous_name():
    """What is clear is answered."""
    assert plan("IBM or apple", search("apple", TWO))[1] == [("get_quote", "IBM")]


def test_two_words_that_are_no_name_may_be_two_names():
    """'apple microsoft' is searched as a whole, then by its words."""
    first = plan("apple microsoft", search("apple microsoft", NOTHING))[1]

    assert first == [("search_symbol", "apple"), ("search_symbol", "microsoft")]


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("market_data_unavailable", "unreachable"),
        ("tool_timeout", "unreachable"),
        ("internal_error", "unreachable"),
        ("tool_limit", "skipped"),
        (None, "unknown"),
    ],
)
def test_behaviour_8_failed_search_is_not_an_unknown_name(code, group):
    """Only a source that answered can say that a name is not listed."""
    subjects, wanted = plan("tesla", search("tesla", failed(code) if code else NOTHING))

    assert (getattr(subjects, group), wanted) == (["tesla"], [])
    assert sum(len(getattr(subjects, name)) for name in ("unreachable", "unknown", "skipped")) == 1


def test_behaviour_7_short_symbol_is_never_searched_as_a_name():
    """HP without a listing stays HP: no search that could find HPQ."""
    subjects, wanted = plan("How is HP?", quote("HP", failed("symbol_not_found")))

    assert (subjects.symbols, wanted) == (["HP"], [])


def test_long_word_in_capitals_may_be_a_name():
    """TESLA is no symbol, so it is searched."""
    assert plan("How is TESLA?", quote("TESLA", failed("symbol_not_found")))[1] == [("search_symbol", "TESLA")]


def test_outage_of_a_long_word_is_not_searched():
    """The quote failed for another reason than the symbol."""
    assert plan("How is TESLA?", quote("TESLA", failed("market_data_unavailable")))[1] == []


def test_name_and_symbol_of_one_company_are_one_subject():
    """'Apple (AAPL)' is not compared with itself."""
    subjects, _ = plan("Apple (AAPL)", search("Apple", APPLE))

    assert subjects.symbols == ["AAPL"]


def test_five_subjects_at_most():
    """The rest is left out."""
    assert len(plan("AAA, BBB, CCC, DDD, EEE, FFF, GGG")[1]) == 5
