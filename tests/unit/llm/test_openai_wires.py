"""Readers and bodies of both OpenAI wires on odd input: what compatible servers really send."""

import json
from datetime import UTC, datetime

import pytest

from shared.llm.chat_wire import ChatReader
from shared.llm.http_faults import Rejected, classify
from shared.llm.responses_wire import ResponsesReader
from shared.llm.stream_faults import StreamFault
from shared.llm.strict_schema import is_strict
from shared.llm.types import Finished, ToolCall, Usage
from shared.llm.wire import WireReader

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def feed(reader: WireReader, *events: object) -> str:
    return "".join(reader.read(event if isinstance(event, bytes) else json.dumps(event).encode()) for event in events)


def delta(finish: str | None = None, **fields: object) -> dict:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def piece(**fields: object) -> dict:
    return delta(tool_calls=[fields])


def kind_of(reader: WireReader) -> str:
    with pytest.raises(StreamFault) as caught:
        reader.conclude()
    return caught.value.kind


def test_chat_calls_of_one_index_with_different_ids_are_different_calls():
    """Ollama has sent every parallel call as index 0."""
    reader = ChatReader()
    feed(
        reader,
        piece(index=0, id="a", function={"name": "one", "arguments": "{}"}),
        piece(index=0, id="b", function={"name": "two", "arguments": "{}"}),
        b"[DONE]",
    )
    assert reader.conclude()[0] == (ToolCall("a", "one", "{}"), ToolCall("b", "two", "{}"))


def test_chat_call_without_index_continues_the_last_one():
    """Pieces that name neither index nor id belong to the call before them."""
    reader = ChatReader()
    feed(
        reader,
        piece(id="a", function={"name": "one", "arguments": '{"x"'}),
        piece(function={"arguments": ":1}"}),
        delta("tool_calls"),
    )
    assert reader.conclude()[0] == (ToolCall("a", "one", '{"x":1}'),)


def test_chat_arguments_sent_as_an_object_become_text():
    """Some servers send parsed arguments; the neutral form is text."""
    reader = ChatReader()
    feed(reader, piece(index=0, id="a", function={"name": "one", "arguments": {"x": 1}}), b"[DONE]")
    assert reader.conclude()[0][0].arguments == '{"x": 1}'


def test_missing_and_repeated_call_ids_are_replaced():
    """Every call of a round has an id of its own."""
    reader = ChatReader()
    feed(
        reader,
        piece(index=0, function={"name": "one", "arguments": "{}"}),
        piece(index=1, id="x", function={"name": "two", "arguments": "{}"}),
        piece(index=2, id="x", function={"name": "three", "arguments": "{}"}),
        b"[DONE]",
    )
    ids = [call.id for call in reader.conclude()[0]]
    assert len(set(ids)) == 3
    assert all(ids)
    assert ids[1] == "x"


def test_call_without_a_name_is_malformed():
    """A call of nothing cannot be answered."""
    reader = ChatReader()
    feed(reader, piece(index=0, id="a", function={"arguments": "{}"}), b"[DONE]")
    assert kind_of(reader) == "upstream_malformed"


def test_chat_stop_with_calls_is_tool_calls():
    """Servers that finish a tool call with 'stop', or only with [DONE], still ask for tools."""
    for end in (delta("stop"), b"[DONE]"):
        reader = ChatReader()
        feed(reader, piece(index=0, id="a", function={"name": "one", "arguments": "{}"}), end)
        assert reader.conclude()[1] == Finished("tool_calls", Usage())


@pytest.mark.parametrize("event", [delta(reasoning_content="hm"), delta(reasoning="hm"), piece(index=0, id="a")])
def test_chat_counts_thinking_and_calls_as_started(event):
    """A long thought or tool call must not die of the first-token budget; the first empty delta is no sign."""
    reader = ChatReader()
    feed(reader, delta(role="assistant", content=""))
    assert not reader.started
    assert feed(reader, event) == ""
    assert reader.started


@pytest.mark.parametrize(
    ("kind", "started"),
    [
        ("response.created", False),
        ("response.queued", False),
        ("response.in_progress", False),
        ("response.brand_new", False),
        ("response.output_item.added", True),
        ("response.function_call_arguments.delta", True),
        ("response.reasoning_summary_text.delta", True),
        ("response.output_text.delta", True),
    ],
)
def test_responses_signs_of_generation(kind, started):
    """Only what a model produces counts as started; that a response exists does not."""
    reader = ResponsesReader()
    feed(reader, {"type": kind})
    assert reader.started is started


@pytest.mark.parametrize("reader", [ChatReader(), ResponsesReader()])
@pytest.mark.parametrize(
    "event",
    [
        {},
        {"choices": None},
        {"choices": {}},
        {"choices": [None]},
        {"choices": [{"delta": None}]},
        delta(content=7),
        delta(tool_calls=[None]),
        delta(tool_calls={"a": 1}),
        {"choices": [], "usage": []},
        {"type": None},
        {"type": 3},
        {"type": "response.output_text.delta", "delta": {"a": 1}},
        {"type": "response.output_item.added", "item": []},
        {"type": "response.brand_new"},
    ],
)
def test_foreign_shapes_are_ignored(reader, event):
    """A shape that means nothing adds nothing and raises nothing."""
    assert feed(reader, event) == ""


def test_refusal_is_text():
    """What a model says when it refuses is its answer."""
    assert feed(ChatReader(), delta(refusal="I cannot.")) == "I cannot."
    assert feed(ResponsesReader(), {"type": "response.refusal.delta", "delta": "I cannot."}) == "I cannot."


def test_responses_call_known_only_from_its_done_item():
    """A server that sends no argument deltas is understood."""
    item = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "one", "arguments": '{"x":1}'}
    reader = ResponsesReader()
    feed(
        reader,
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {}},
    )
    assert reader.conclude() == ((ToolCall("c1", "one", '{"x":1}'),), Finished("tool_calls", Usage()))


def test_responses_done_marker_alone_is_truncated():
    """[DONE] is tolerated on the Responses wire and is not the end of an answer."""
    reader = ResponsesReader()
    feed(reader, {"type": "response.output_text.delta", "delta": "half"}, b"[DONE]")
    assert kind_of(reader) == "truncated"


def test_responses_incomplete_for_an_unknown_reason_is_truncated():
    """Only a known reason makes a cut answer presentable."""
    event = {"type": "response.incomplete", "response": {"incomplete_details": {"reason": "new"}}}
    with pytest.raises(StreamFault, match="truncated"):
        feed(ResponsesReader(), event)


@pytest.mark.parametrize("text", ["", " \n"])
def test_L13_blank_answer_is_empty(text):
    """White space is no answer."""
    reader = ChatReader()
    feed(reader, delta(content=text), delta("stop"))
    assert kind_of(reader) == "empty_answer"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (429, {"code": None, "type": "insufficient_quota"}, "quota"),
        (429, {"code": "rate_limit_exceeded"}, "rate_limited"),
        (402, {}, "quota"),
        (400, {"code": "model_not_found"}, "model_not_found"),
        (400, {"code": "content_policy_violation"}, "content_filter"),
        (400, {"code": ["context_length_exceeded"]}, "bad_request"),
        (400, {"message": "context_length_exceeded"}, "bad_request"),
        (403, {"code": "context_length_exceeded"}, "auth"),
        (413, {}, "too_large"),
        (408, {}, "server_error"),
        (418, {}, "bad_request"),
        (599, {}, "server_error"),
        (304, {}, "redirected"),
    ],
)
def test_refusals_by_status_and_code(status, error, kind):
    """The status decides, and where it is ambiguous the error's code or type, never its message."""
    rejected = Rejected(status, {}, json.dumps({"error": error}).encode())
    assert classify(rejected, lambda: NOW).kind == kind


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "text"}', b"\xff\xfe\x00", b"[" * 100_000])
def test_any_error_body_is_survived(body):
    """An error body of any shape leaves the status as the only source."""
    assert classify(Rejected(429, {}, body), lambda: NOW).kind == "rate_limited"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "9", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "Mon, 02 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Mon, 02 Nov 2026 12:00:30 -0000"}, 30.0),
        ({"retry-after": "Mon, 02 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "Mon, 99 Nov 2026 12:00:30 GMT"}, None),
        ({}, None),
    ],
)
def test_L2_retry_after(headers, seconds):
    """Seconds, milliseconds and dates are understood; nonsense counts as nothing said."""
    assert classify(Rejected(429, headers), lambda: NOW).retry_after == seconds


SYMBOL = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({"type": "object", "properties": {}, "additionalProperties": False}, True),
        ({"type": "object", "properties": {"s": SYMBOL}, "required": ["s"], "additionalProperties": False}, True),
        ({"type": "object", "properties": {"s": SYMBOL}, "required": [], "additionalProperties": False}, False),
        ({"type": "object", "properties": {"s": SYMBOL}, "required": ["s"]}, False),
        ({"type": "array", "items": {"type": "object", "properties": {"s": SYMBOL}}}, False),
        ({"anyOf": [SYMBOL, {"type": "null"}]}, True),
        ({"anyOf": [{"type": "string", "format": "date"}]}, False),
        ({"type": "string", "default": "x"}, False),
        (True, False),
    ],
)
def test_strict_only_where_the_provider_can_keep_it(schema, strict):
    """Strict is promised for closed schemas with every property required, all the way down."""
    assert is_strict(schema) is strict
