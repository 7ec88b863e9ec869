"""Server-sent events: frames as they come, a sign of life in silences, one terminal frame, and an end to the work when
the client goes away."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from azurefunctions.extensions.http.fastapi import StreamingResponse

from functions.http.context import RequestContext
from shared.errors import AppError, DependencyUnavailable
from shared.observability.request_context import set_request_id

_log = logging.getLogger(__name__)

Frame = Mapping[str, object]
KEEP_ALIVE = b": keep-alive\n\n"
DONE = b"data: [DONE]\n\n"
HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
MEDIA_TYPE = "text/event-stream; charset=utf-8"
_TERMINAL = frozenset({"done", "error"})


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A frame as it goes out. ``done`` marks the end of a complete answer."""

    data: bytes
    done: bool


def encode(frame: Frame) -> bytes:
    """One JSON object on one line, so that no text inside it can break the framing."""
    text = json.dumps(frame, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Some clients take these two characters for line breaks too.
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return b"data: " + text.encode("utf-8", "replace") + b"\n\n"


def event_stream(
    frames: AsyncGenerator[Frame],
    context: RequestContext,
    *,
    heartbeat_s: float,
    on_end: Callable[[bytes | None], None] = lambda _: None,
) -> StreamingResponse:
    """Sends ``frames``, whose last one must be terminal (``event`` ``done``). A failure becomes the ``error`` frame.

    ``on_end`` is called once: with everything that was sent when the stream ended with ``done``, else with None.
    """
    return StreamingResponse(
        _body(frames, context, heartbeat_s, on_end), headers=dict(HEADERS), media_type="text/event-stream"
    )


async def _body(
    frames: AsyncGenerator[Frame],
    context: RequestContext,
    heartbeat_s: float,
    on_end: Callable[[bytes | None], None],
) -> AsyncGenerator[bytes]:
    # The generator runs in another task than the handler: what the handler set in context variables is not here.
    set_request_id(context.request_id)
    sent: list[bytes] = []
    complete = False
    try:
        async with (
            aclosing(_with_terminal(frames, context)) as terminated,
            aclosing(_with_heartbeat(terminated, heartbeat_s)) as beating,
        ):
            async for frame in beating:
                if frame is None:
                    yield KEEP_ALIVE
                    continue
                sent.append(frame.data)
                complete = frame.done
                yield frame.data
        sent.append(DONE)
        yield DONE
    finally:
        on_end(b"".join(sent) if complete and sent[-1] is DONE else None)


async def _with_terminal(frames: AsyncGenerator[Frame], context: RequestContext) -> AsyncGenerator[_Encoded]:
    """Exactly one terminal frame, whatever the source does."""
    partial = ended = False
    error = AppError("Something went wrong on our side.")
    try:
        async with aclosing(frames) as source:
            async for frame in source:
                # Encoded here, so that a frame which cannot be encoded counts as a failure of the source.
                encoded = _Encoded(encode(frame), done=frame.get("event") == "done")
                partial = partial or "chunk" in frame
                ended = frame.get("event") in _TERMINAL
                yield encoded
                if ended:
                    return
        _log.error("an event stream ended without a terminal frame")
    except AppError as exc:
        error = exc
    except asyncio.CancelledError:
        if _is_being_cancelled():
            raise
        _log.warning("an event stream was interrupted")
        error = DependencyUnavailable("The answer was interrupted. Try again.", code="interrupted")
    except Exception:  # noqa: BLE001 - the client gets the error frame, the log gets the rest
        _log.exception("an event stream failed (request %s)", context.request_id)
    if ended:
        return
    failure = {
        "event": "error",
        "error": error.detail,
        "code": error.code,
        "retryable": error.retryable,
        "partial": partial,
    }
    yield _Encoded(encode(failure), done=False)


def _is_being_cancelled() -> bool:
    """Whether somebody wants this task to end, or only something that it waited for was cancelled."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


async def _with_heartbeat[T](frames: AsyncGenerator[T], heartbeat_s: float) -> AsyncGenerator[T | None]:
    """The frames, and None whenever ``heartbeat_s`` have passed without one."""
    pending: asyncio.Task[T | None] | None = None
    try:
        while True:
            pending = pending or asyncio.create_task(_next(frames))
            done, _ = await asyncio.wait({pending}, timeout=heartbeat_s)
            if not done:
                yield None
                continue
            frame, pending = pending.result(), None
            if frame is None:
                return
            yield frame
            # Lets the server notice that the client has left, even when frames come without any waiting.
            await asyncio.sleep(0)
    finally:
        if pending is not None:
            pending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pending


async def _next[T](frames: AsyncGenerator[T]) -> T | None:
    return await anext(frames, None)
