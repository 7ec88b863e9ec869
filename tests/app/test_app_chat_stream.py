"""The event stream of chat, frame by frame, as the offline analyst fills it."""

import json

import pytest

from tests.app.client import CHAT, STREAM, AppClient, Stream, stream_of
from tests.app.figures import MOMENT, UUID4, check_facts, unsourced

QUESTION = "How is AAPL doing compared to MSFT?"
DONE = {
    "event",
    "provider",
    "model",
    "fallback",
    "degraded",
    "finish",
    "facts",
    "grounding",
    "needs_clarification",
    "usage",
    "disclaimer",
    "timestamp",
}


@pytest.fixture(scope="module")
def stream(sample_app: AppClient) -> Stream:
    return sample_app.tell(QUESTION)


def test_headers_keep_proxies_from_holding_the_stream_back(stream):
    """The stream has exactly the type and caching headers of the contract, and no hop-by-hop header of its own."""
    expected = {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
    }
    assert expected == {name: stream.headers[name] for name in expected}
    assert "connection" not in stream.headers
    assert stream.headers["x-request-id"]
    assert float(stream.headers["x-response-time"]) >= 0


def test_meta_comes_first_with_ids_and_the_chosen_model(stream):
    """The first frame names the chosen model, the conversation, the message, the request and the prompt."""
    fields = {"event", "provider", "model", "conversation_id", "message_id", "request_id", "prompt_version"}
    assert fields == set(stream.meta)
    assert (stream.meta["provider"], stream.meta["model"]) == ("offline", "offline-analyst")
    assert UUID4.fullmatch(stream.meta["conversation_id"])
    assert UUID4.fullmatch(stream.meta["message_id"])
    assert stream.headers["x-request-id"] == stream.meta["request_id"]
    assert stream.meta["prompt_version"]


def test_tools_are_told_when_they_start_and_end(stream):
    """Each tool call has a frame at its start, without a duration, and one at its end, with it."""
    assert all({"event", "name", "status", "symbol", "ms"} == set(frame) for frame in stream.tools)
    started = sorted((f["name"], f["symbol"]) for f in stream.tools if f["status"] == "started")
    ended = sorted((f["name"], f["symbol"]) for f in stream.tools if f["status"] == "done")
    assert started == ended != []
    assert ("get_quote", "AAPL") in started
    assert all((frame["ms"] is None) == (frame["status"] == "started") for frame in stream.tools)


def test_tool_that_fails_is_told_as_failed(sample_app):
    """A look-up that finds nothing ends in a tool frame with the status failed, and the stream still ends well."""
    stream = sample_app.tell("price of ZZZZ?")
    assert [(f["name"], f["status"]) for f in stream.tools] == [("get_quote", "started"), ("get_quote", "failed")]
    assert stream.end["event"] == "done"


def test_done_frame_is_the_account_of_the_answer(stream):
    """The terminal frame has exactly the fields of the contract, with the facts behind the text."""
    assert set(stream.end) == DONE
    check_facts(stream.end["facts"])
    assert MOMENT.fullmatch(stream.end["timestamp"])
    assert stream.end["grounding"] == {"ok": True, "unverified": []}
    assert tuple(stream.end[name] for name in ("finish", "fallback", "degraded", "needs_clarification")) == (
        "stop",
        False,
        False,
        None,
    )
    assert "not investment advice" in stream.end["disclaimer"]


def test_every_figure_of_the_joined_chunks_is_a_fact(stream):
    """The text comes in several pieces, and every figure of it is the value of a fact."""
    assert len(stream.chunks) > 1
    assert unsourced(stream.text, stream.end["facts"]) == []
    assert "430.47" in stream.text


def test_stream_and_json_tell_the_same(sample_app, stream):
    """The joined chunks are the response of the JSON answer, with the same facts."""
    answer = sample_app.ask(QUESTION)
    assert answer["response"] == stream.text.strip()
    assert _unnumbered(answer["facts"]) == _unnumbered(stream.end["facts"])


def _unnumbered(facts: list[dict]) -> list[str]:
    # Tools run side by side: the order in which they end is not promised.
    return sorted(json.dumps({**fact, "id": ""}) for fact in facts)


@pytest.mark.parametrize(
    ("path", "fields", "accept"),
    [
        (CHAT, {"stream": True}, "*/*"),
        (CHAT, {}, "text/event-stream"),
        (CHAT, {"stream": False}, "text/event-stream, */*;q=0.1"),
        (STREAM, {}, "application/json"),
        (STREAM, {"stream": False}, "*/*"),
    ],
)
def test_each_way_of_asking_for_a_stream_gives_the_same_one(sample_app, stream, path, fields, accept):
    """`"stream": true`, the Accept header and the stream path give the same headers and the same text."""
    response = sample_app.post(path, {"message": QUESTION, **fields}, headers={"Accept": accept})
    other = stream_of(response)
    same = ("content-type", "cache-control", "x-accel-buffering")
    assert {name: stream.headers[name] for name in same} == {name: other.headers[name] for name in same}
    assert stream.text == other.text


def test_reference_client_can_read_the_stream(sample_app):
    """A client that takes lines starting with `data: `, appends `chunk` and stops at `[DONE]` gets the whole answer."""
    text, events = "", []
    with sample_app.live(QUESTION) as live:
        for line in live.response.iter_lines():
            if not line.startswith("data: "):
                continue
            payload = line[6:]
            if payload == "[DONE]":
                break
            data = json.loads(payload)
            assert not data.get("error")
            text += data.get("chunk", "")
            events.append(data.get("event"))
    assert "Apple Inc. (AAPL) last closed at 430.47 USD" in text
    assert (events[0], events[-1]) == ("meta", "done")


def test_line_breaks_of_a_text_do_not_break_the_framing(sample_app):
    """A chunk with line breaks in it still is one event on one line."""
    stream = sample_app.tell(QUESTION)
    assert any("\n" in chunk for chunk in stream.chunks)
    assert all(event.count("\n") == 0 for event in stream.content.decode().split("\n\n"))


def test_errors_before_the_first_frame_are_problems(sample_app):
    """What can be refused before a frame is sent is an ordinary problem response also on the stream path."""
    response = sample_app.post(STREAM, {"message": "hi", "provider": "nobody"})
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    assert response.json()["code"] == "unknown_provider"


def test_conversation_id_is_echoed_in_meta(sample_app):
    """The conversation id that the client sends is the one of the meta frame."""
    given = "6f1f3f6e-4b7e-4a38-9d0c-5b1f2f3a4c5d"
    assert given == sample_app.tell("AAPL?", session_id=given).meta["conversation_id"]
