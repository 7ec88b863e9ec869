"""The models of requests and responses: what is accepted, and how values leave."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from functions import chat_frames, market_contract
from functions.chat_contract import ChatRequest
from functions.fields import utc_text
from shared.agent.events import AnswerChunk, AnswerReport, Clarification, Grounding, ToolProgress
from shared.agent.facts import Fact
from shared.clock import Clock
from shared.errors import SymbolNotFound
from shared.llm.types import Usage
from shared.market.types import Instrument

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
CLOCK = Clock(now=lambda: NOW)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 3, 2, 14, 30, tzinfo=UTC), "2026-03-02T14:30:00Z"),
        (datetime(2026, 3, 2, 14, 30, 1, 234_567, tzinfo=UTC), "2026-03-02T14:30:01.234Z"),
        (datetime(2026, 3, 2, 14, 30, tzinfo=timezone(timedelta(hours=-5))), "2026-03-02T19:30:00Z"),
        (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=9))), "2025-12-31T16:00:00Z"),
    ],
)
def test_moments_leave_in_utc_with_z(moment, text):
    """A moment of any zone leaves as UTC with Z, with milliseconds only where there are any."""
    assert text == utc_text(moment)


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(1900, 1, 2), max_value=datetime(2100, 1, 1)))
def test_moments_keep_their_instant(moment):
    """What leaves is the same instant to the millisecond, whatever zone it came in."""
    read = datetime.fromisoformat(utc_text(moment))
    assert timedelta(0) <= moment.astimezone(UTC) - read < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  price of AAPL?\n", "price of AAPL?"),
        ("e\u0301", "\u00e9"),
        ("A\u200bA\u202ePL\x00\x1f", "AAPL"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\u200d👩\u200d💻", "\u200d👩\u200d💻"),
    ],
)
def test_message_is_normalised(given, kept):
    """A message is composed and trimmed, and loses what nobody can see; what joins visible characters stays."""
    assert kept == ChatRequest(message=given).message


@given(st.text(max_size=300))
def test_message_is_never_longer_or_emptier_than_allowed(text):
    """Whatever is sent as a message is refused or has 1 to 8,000 characters, none of them a control character."""
    try:
        message = ChatRequest(message=text).message
    except ValidationError:
        return
    assert 1 <= len(message) <= 8000
    assert not {chr(code) for code in range(32)} - {"\t", "\n"} & set(message)


@pytest.mark.parametrize("name", ["conversation_id", "session_id"])
def test_conversation_has_two_names(name):
    """Both names of the conversation mean the same, and it is told in its usual form."""
    asked = ChatRequest.model_validate({"message": "x", name: "6F1F3F6E-4B7E-4A38-9D0C-5B1F2F3A4C5D"})
    assert chat_frames.question(asked).conversation_id == "6f1f3f6e-4b7e-4a38-9d0c-5b1f2f3a4c5d"


def test_old_name_may_stand_beside_an_empty_new_one():
    """A client that sends the new name as null and the old one with a value means the value."""
    given = {"message": "x", "conversation_id": None, "session_id": "6f1f3f6e-4b7e-4a38-9d0c-5b1f2f3a4c5d"}
    assert given["session_id"] == chat_frames.question(ChatRequest.model_validate(given)).conversation_id


def test_question_without_options():
    """A bare message chooses nothing."""
    question = chat_frames.question(ChatRequest(message="x"))
    assert (
        question.conversation_id,
        question.provider,
        question.model,
        question.symbols,
    ) == (None, None, None, ())


FACT = Fact("f1", "VOD.L", "last_price", 0.7342, "GBP", NOW, "yahoo", stale=False, delayed_by_s=900)
CHANGE = Fact("f2", "VOD.L", "change_percent", -1.5, "percent", NOW, "yahoo", stale=True)
REPORT = AnswerReport(
    provider="openai",
    model="gpt",
    fallback=False,
    degraded=False,
    finish="stop",
    facts=(FACT, CHANGE),
    grounding=Grounding(ok=False, unverified=("$175.49",)),
    needs_clarification=Clarification("Which one?", (Instrument("AAPL", "Apple Inc.", "NMS", "USD", "equity"),)),
    tools=(),
    usage=Usage(3, 4),
)


def test_done_frame_tells_everything_about_an_answer():
    """The done frame has facts with currency, grounding, clarification and usage with its total."""
    frame = chat_frames.frame(REPORT, CLOCK)
    assert next(iter(frame)) == "event"
    assert (frame["event"], frame["timestamp"]) == ("done", "2026-03-02T14:30:00Z")
    assert [(fact["currency"], fact["delayed_by_s"]) for fact in frame["facts"]] == [("GBP", 900), (None, None)]
    assert frame["grounding"] == {"ok": False, "unverified": ["$175.49"]}
    assert frame["needs_clarification"]["question"] == "Which one?"
    candidate = {"symbol": "AAPL", "name": "Apple Inc.", "exchange": "NMS", "currency": "USD", "type": "equity"}
    assert [candidate] == frame["needs_clarification"]["candidates"]
    assert frame["usage"] == {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    json.dumps(frame, allow_nan=False)


def test_progress_and_text_frames():
    """Progress of a tool and pieces of text have their own small frames."""
    assert chat_frames.frame(AnswerChunk("a"), CLOCK) == {"chunk": "a"}
    progress = ToolProgress("get_quote", "done", "AAPL", 3)
    expected = {"event": "tool", "name": "get_quote", "status": "done", "symbol": "AAPL", "ms": 3}
    assert expected == chat_frames.frame(progress, CLOCK)


@pytest.mark.parametrize(("given", "kept"), [("1m", "1mo"), ("6m", "6mo"), ("6mo", "6mo"), ("max", "max")])
def test_ranges_have_two_spellings(given, kept):
    """Months may be written as the reference client writes them."""
    assert kept == market_contract.HistoryQuery.model_validate({"range": given}).range


@pytest.mark.parametrize(
    ("given", "kept"), [("AAPL,MSFT", ["AAPL", "MSFT"]), (" AAPL , ,MSFT,", ["AAPL", "MSFT"]), ("A", ["A"])]
)
def test_lists_in_a_query_are_separated_by_commas(given, kept):
    """A list is written with commas; blanks and empty items do not count."""
    assert kept == market_contract.QuotesQuery.model_validate({"symbols": given}).symbols


def test_failed_item_of_a_batch_has_no_quote():
    """An item that failed has its code, its reason and whether it may be tried again."""
    item = market_contract.QuoteItem.failed("ZZZZ", SymbolNotFound("ZZZZ"))
    assert (item.symbol, item.status, item.quote) == ("ZZZZ", "error", None)
    assert (item.error.code, item.error.retryable) == ("symbol_not_found", False)


def test_figures_carry_no_noise_of_binary_fractions():
    """430.47 - 441.4 is -10.93 for a reader, not -10.92999999999995; small prices keep their digits."""
    quote = market_contract.QuoteModel(
        symbol="X",
        name="X",
        value=0.0012345,
        currency="USD",
        change=430.47 - 441.4,
        change_percent=None,
        previous_close=441.4,
        market_state="closed",
        as_of=datetime(2026, 1, 2, tzinfo=UTC),
        source="s",
        stale=False,
        delayed_by_s=None,
        exchange=None,
        original_value=None,
        original_unit=None,
    )
    assert (quote.change, quote.value) == (-10.93, 0.0012345)
