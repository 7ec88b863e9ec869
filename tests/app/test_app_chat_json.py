"""POST /api/chat answered as JSON, without a key and without a network."""

import uuid
from typing import Any

import pytest

from tests.app.client import CHAT, AppClient, problem_of
from tests.app.figures import MOMENT, UUID4, check_facts, unsourced

ANSWER = {
    "response": str,
    "conversation_id": str,
    "message_id": str,
    "timestamp": str,
    "provider": str,
    "model": str,
    "fallback": bool,
    "degraded": bool,
    "finish": str,
    "facts": list,
    "grounding": dict,
    "needs_clarification": dict | None,
    "tools": list,
    "usage": dict,
    "disclaimer": str,
}


@pytest.fixture(scope="module")
def answer(sample_app: AppClient) -> dict[str, Any]:
    return sample_app.ask("How is AAPL doing compared to MSFT?")


def test_answer_has_exactly_the_fields_of_the_contract(answer):
    """An answer has the fields of the contract with their types, and no others."""
    assert set(ANSWER) == set(answer)
    assert {name: value for name, value in answer.items() if not isinstance(value, ANSWER[name])} == {}
    assert answer["grounding"] == {"ok": True, "unverified": []}
    assert answer["usage"] == {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    assert (answer["provider"], answer["model"]) == ("offline", "offline-analyst")
    assert (answer["fallback"], answer["degraded"], answer["finish"]) == (False, False, "stop")
    assert answer["needs_clarification"] is None
    assert "not investment advice" in answer["disclaimer"]


def test_ids_and_timestamp_are_well_formed(answer):
    """Without a conversation id a new UUID v4 is made, as for the message; the timestamp is UTC with Z."""
    assert UUID4.fullmatch(answer["conversation_id"])
    assert UUID4.fullmatch(answer["message_id"])
    assert answer["conversation_id"] != answer["message_id"]
    assert MOMENT.fullmatch(answer["timestamp"])


def test_every_figure_of_the_answer_is_a_fact(answer):
    """Each figure that the answer states is the value of a fact with source, moment and currency."""
    check_facts(answer["facts"])
    assert {"AAPL", "MSFT"} == {fact["symbol"] for fact in answer["facts"]}
    assert {"sample"} == {fact["source"] for fact in answer["facts"]}
    assert unsourced(answer["response"], answer["facts"]) == []
    assert "430.47" in answer["response"]


def test_the_check_of_figures_finds_an_invented_one(answer):
    """The comparison of these tests does fail for a figure that no fact has."""
    assert unsourced("AAPL stands at 430.47 USD, MSFT at 999.99 USD.", answer["facts"]) == ["999.99"]


def test_tools_are_listed_with_their_arguments(answer):
    """Each tool call is told with its name, arguments, outcome and duration."""
    assert answer["tools"]
    for tool in answer["tools"]:
        assert {"name", "arguments", "ok", "ms"} == set(tool)
        assert tool["ok"] is True
        assert isinstance(tool["ms"], int)
    assert {"name": "get_quote", "arguments": {"symbol": "AAPL"}, "ok": True} in [
        {key: tool[key] for key in ("name", "arguments", "ok")} for tool in answer["tools"]
    ]


def test_sample_data_are_called_so(answer):
    """The answer says in words, and each fact by its flag, that the prices are the bundled sample of 2013."""
    assert "bundled sample data as of 2013-03-01" in answer["response"]
    assert all(fact["stale"] for fact in answer["facts"])


def test_headers_of_an_answer(sample_app):
    """A JSON answer is not to be stored by caches and carries an id and its duration."""
    response = sample_app.post(CHAT, {"message": "AAPL price?"}, headers={"X-Request-ID": "front-end.0042"})
    assert response.headers["x-request-id"] == "front-end.0042"
    assert response.headers["cache-control"] == "no-store"
    assert float(response.headers["x-response-time"]) >= 0


@pytest.mark.parametrize("name", ["conversation_id", "session_id"])
def test_conversation_id_is_echoed_under_both_names(sample_app, name):
    """A conversation id that the client sends, also under its old name, comes back."""
    given = str(uuid.uuid4())
    assert given == sample_app.ask("AAPL price?", **{name: given})["conversation_id"]


def test_all_defaults_may_be_spelt_out(sample_app):
    """The body of the contract's example, with every default written down, is accepted."""
    answer = sample_app.ask("AAPL price?", conversation_id=None, provider=None, model=None, symbols=[], stream=False)
    assert "430.47" in answer["response"]


def test_symbols_in_view_answer_a_question_without_one(sample_app):
    """The symbols that the user is looking at are what a question without a name is about."""
    answer = sample_app.ask("What is the price?", symbols=["ibm"])
    assert {"IBM"} == {fact["symbol"] for fact in answer["facts"]}


def test_provider_can_be_chosen_for_one_request(sample_app):
    """A provider named in the request answers it."""
    answer = sample_app.ask("AAPL price?", provider="offline", model="offline-analyst")
    assert (answer["provider"], answer["model"], answer["fallback"]) == ("offline", "offline-analyst", False)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"provider": "nobody"}, "unknown_provider"),
        ({"provider": "offline", "model": "gpt-5"}, "unknown_model"),
        ({"symbols": ["AAPL;DROP"]}, "invalid_symbol"),
        ({"symbols": ["A"] * 6}, "validation_failed"),
        ({"conversation_id": "not-a-uuid"}, "validation_failed"),
        ({"conversation_id": "00000000-0000-1000-8000-000000000000"}, "validation_failed"),
    ],
)
def test_a_choice_that_does_not_exist_is_refused(sample_app, fields, code):
    """An unknown provider or model, a text that is no symbol, and an id that is no UUID v4 are refused with 400."""
    problem_of(sample_app.post(CHAT, {"message": "AAPL price?", **fields}), 400, code)


def test_unknown_provider_names_the_known_ones(sample_app):
    """Who asks for an unknown provider is told which ones there are."""
    problem = problem_of(sample_app.post(CHAT, {"message": "hi", "provider": "nobody"}), 400)
    assert "offline" in problem["detail"]
    assert "openai" in problem["detail"]


def test_message_of_8000_characters_is_accepted_and_one_more_is_not(sample_app):
    """A message may have 8,000 characters after trimming."""
    assert sample_app.ask("  " + "é" * 8000 + "\n")["response"]
    problem = problem_of(sample_app.post(CHAT, {"message": "é" * 8001}), 400, "validation_failed")
    assert [item["field"] for item in problem["errors"]] == ["message"]


def test_unknown_symbol_is_said_and_not_guessed(sample_app):
    """A question about a symbol that is not listed gets an answer that says so, without a figure."""
    answer = sample_app.ask("What is the price of ZZZZ?")
    assert answer["facts"] == []
    assert "ZZZZ" in answer["response"]
    assert unsourced(answer["response"], []) == []


def test_greeting_needs_no_data(sample_app):
    """A greeting is answered without tools, facts or figures."""
    answer = sample_app.ask("hello")
    assert (answer["facts"], answer["tools"], answer["needs_clarification"]) == ([], [], None)
    assert answer["response"]
