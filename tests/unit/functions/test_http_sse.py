"""Event streams: one terminal frame whatever happens, a sign of life in silences, and an end to the work."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.http import sse
from functions.http.context import RequestContext
from shared.errors import DeadlineExceeded, UpstreamMalformed
from shared.observability.request_context import current_request_id

CONTEXT = RequestContext("request-0001", "203.0.113.5")
CHUNK = {"chunk": "Hello."}
FINISHED = {"event": "done", "finish": "stop"}
LONG = 5.0


class Ends:
    """Counts the calls of ``on_end`` and keeps what came with them."""

    def __init__(self) -> None:
        self.calls: list[bytes | None] = []

    def __call__(self, content: bytes | None) -> None:
        self.calls.append(content)


def body(source: AsyncGenerator[Any], ends: Ends | None = None, heartbeat_s: float = LONG) -> AsyncGenerator[bytes]:
    return sse.event_stream(source, CONTEXT, heartbeat_s=heartbeat_s, on_end=ends or Ends()).body_iterator


async def everything(source: AsyncGenerator[Any], ends: Ends | None = None) -> bytes:
    async with asyncio.timeout(LONG):
        return b"".join([piece async for piece in body(source, ends)])


def frames(content: bytes) -> list[Any]:
    """The frames of a whole stream, which ends with the marker."""
    *events, last, tail = content.split(b"\n\n")
    assert (last, tail) == (b"data: [DONE]", b"")
    assert all(event.startswith(b"data: ") and b"\n" not in event for event in events)
    return [json.loads(event.removeprefix(b"data: ")) for event in events]


async def ending(*items: object) -> AsyncGenerator[Any]:
    for item in items:
        if isinstance(item, BaseException):
            raise item
        yield item


async def failing_cleanup() -> AsyncGenerator[Any]:
    try:
        yield CHUNK
        yield FINISHED
    finally:
        raise RuntimeError("sk-secret of the cleanup")


async def waiting_for_cancelled_work() -> AsyncGenerator[Any]:
    yield CHUNK
    work = asyncio.create_task(asyncio.sleep(LONG))
    work.cancel()
    await work


GOOD = [
    pytest.param(lambda: ending(CHUNK, FINISHED), [CHUNK, FINISHED], id="done"),
    pytest.param(lambda: ending(FINISHED), [FINISHED], id="done at once"),
    pytest.param(lambda: ending(CHUNK, FINISHED, CHUNK, FINISHED), [CHUNK, FINISHED], id="more after done"),
    pytest.param(lambda: ending(CHUNK, FINISHED, ValueError("sk-secret")), [CHUNK, FINISHED], id="fails after done"),
    pytest.param(failing_cleanup, [CHUNK, FINISHED], id="fails while it is closed"),
]
BAD = [
    pytest.param(ending, "internal_error", False, False, id="nothing"),
    pytest.param(lambda: ending(CHUNK), "internal_error", False, True, id="no terminal frame"),
    pytest.param(lambda: ending(ValueError("sk-secret")), "internal_error", False, False, id="unforeseen"),
    pytest.param(lambda: ending(CHUNK, KeyError("sk-secret")), "internal_error", False, True, id="unforeseen, late"),
    pytest.param(lambda: ending(DeadlineExceeded("Too slow.")), "deadline_exceeded", True, False, id="foreseen"),
    pytest.param(lambda: ending(CHUNK, UpstreamMalformed("Lost.")), "upstream_malformed", True, True, id="late"),
    pytest.param(
        lambda: ending({"event": "tool"}, UpstreamMalformed("x")), "upstream_malformed", True, False, id="tool"
    ),
    pytest.param(lambda: ending({"event": "done", "v": float("nan")}), "internal_error", False, False, id="NaN"),
    pytest.param(lambda: ending(CHUNK, {"v": object()}), "internal_error", False, True, id="no JSON"),
    pytest.param(lambda: ending(CHUNK, asyncio.CancelledError()), "interrupted", True, True, id="cancels itself"),
    pytest.param(waiting_for_cancelled_work, "interrupted", True, True, id="waits for what was cancelled"),
]


@pytest.mark.parametrize(("source", "expected"), GOOD)
async def test_complete_stream_is_sent_and_kept(source, expected):
    """A source that reaches done is sent up to there, with the marker, and ``on_end`` gets all of it once."""
    ends = Ends()
    content = await everything(source(), ends)
    assert expected == frames(content)
    assert [content] == ends.calls
    assert b"sk-secret" not in content


@pytest.mark.parametrize(("source", "code", "retryable", "partial"), BAD)
async def test_incomplete_stream_ends_in_one_error_frame(source, code, retryable, partial):
    """A source that fails in any way ends in one error frame and the marker; ``on_end`` is called once, with None."""
    ends = Ends()
    content = await everything(source(), ends)
    *_, last = sent = frames(content)
    assert len([frame for frame in sent if frame.get("event") in {"done", "error"}]) == 1
    assert {"event": "error", "error": last["error"], "code": code, "retryable": retryable, "partial": partial} == last
    assert last["error"]
    assert ends.calls == [None]
    assert b"sk-secret" not in content


async def test_error_frame_of_the_source_is_the_only_one():
    """A source that sends an error frame of its own gets no second one, and is not kept as complete."""
    ends = Ends()
    error = {"event": "error", "error": "x", "code": "x", "retryable": False, "partial": False}
    assert [CHUNK, error] == frames(await everything(ending(CHUNK, error), ends))
    assert ends.calls == [None]


async def test_headers_of_a_stream():
    """The response has the type and the headers that keep proxies from buffering."""
    response = sse.event_stream(ending(FINISHED), CONTEXT, heartbeat_s=LONG)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache, no-transform"
    assert response.headers["x-accel-buffering"] == "no"
    assert "content-length" not in response.headers
    await response.body_iterator.aclose()


async def test_request_id_is_known_inside_the_source():
    """The source, which runs in another task than the handler, sees the request's id."""
    seen = []

    async def source() -> AsyncGenerator[Any]:
        seen.append(current_request_id())
        yield FINISHED

    await everything(source())
    assert seen == ["request-0001"]


async def test_silence_is_filled_with_comments():
    """While the source says nothing a comment goes out per heartbeat, which neither disturbs it nor is kept."""
    ends, gate = Ends(), asyncio.Event()

    async def source() -> AsyncGenerator[Any]:
        yield CHUNK
        await gate.wait()
        yield FINISHED

    pieces: list[bytes] = []
    async with asyncio.timeout(LONG):
        async for piece in body(source(), ends, heartbeat_s=0.01):
            pieces.append(piece)
            if pieces.count(sse.KEEP_ALIVE) == 3:
                gate.set()
    assert [sse.encode(CHUNK), *[sse.KEEP_ALIVE] * 3, sse.encode(FINISHED), sse.DONE] == pieces
    assert [b"".join([sse.encode(CHUNK), sse.encode(FINISHED), sse.DONE])] == ends.calls
    assert sse.KEEP_ALIVE == b": keep-alive\n\n"


class Watched:
    """A source that says where it is and whether it has been closed."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        self.closed = False

    async def frames(self) -> AsyncGenerator[Any]:
        try:
            yield CHUNK
            self.waiting.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.closed = True


async def test_S2_cancellation_closes_a_silent_source():
    """A client that leaves while nothing is sent: the source is closed, and ``on_end`` is called once with None."""
    watched, ends = Watched(), Ends()

    async def consume() -> None:
        async for _ in body(watched.frames(), ends):
            pass

    task = asyncio.create_task(consume())
    await watched.waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert watched.closed
    assert ends.calls == [None]


async def test_S1_closing_between_frames_closes_the_source():
    """A client that leaves between two frames: the source is closed at once and ``on_end`` is called once with None."""
    watched, ends = Watched(), Ends()
    async with aclosing(body(watched.frames(), ends)) as stream:
        assert sse.encode(CHUNK) == await anext(stream)
    assert watched.closed
    assert ends.calls == [None]


async def test_client_that_leaves_before_the_marker_has_not_got_everything():
    """A stream that was left after done but before the marker is not kept as complete."""
    ends = Ends()
    async with aclosing(body(ending(FINISHED), ends)) as stream:
        assert sse.encode(FINISHED) == await anext(stream)
    assert ends.calls == [None]


async def test_no_task_is_left_behind():
    """After any end of a stream, nothing that it started is running."""
    before = asyncio.all_tasks()
    await everything(ending(CHUNK, FINISHED))
    await everything(ending(CHUNK, ValueError()))
    async with aclosing(body(Watched().frames(), heartbeat_s=0.01)) as stream:
        await anext(stream)
        await anext(stream)
    assert before == asyncio.all_tasks()


@given(st.text() | st.sampled_from(["data: x\n\n", "\r\n\r\nevent: done", "\u2028\u2029\u0085", "\0", "[DONE]"]))
def test_S7_any_text_is_one_line(text):
    """Whatever a text holds, its frame is one event on one line from which the text is read back."""
    encoded = sse.encode({"chunk": text})
    assert encoded.startswith(b"data: ")
    assert encoded.endswith(b"\n\n")
    assert not {b"\n", b"\r"} & {encoded[i : i + 1] for i in range(len(encoded) - 2)}
    decoded = encoded.decode("utf-8")
    assert "\u2028" not in decoded
    assert "\u2029" not in decoded
    assert {"chunk": text} == json.loads(decoded.removeprefix("data: "))


def test_lone_surrogate_does_not_break_a_stream():
    """A character that UTF-8 cannot hold is replaced."""
    assert sse.encode({"chunk": "a\ud800b"}) == b'data: {"chunk":"a?b"}\n\n'
