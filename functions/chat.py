"""POST /api/chat and /api/chat/stream: a question, answered whole or as it is written."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import TYPE_CHECKING

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.chat_contract import ChatAnswer, ChatRequest, ChunkFrame, DoneFrame, ErrorFrame, MetaFrame, ToolFrame
from functions.http import sse
from functions.http.guard import json_response
from functions.http.routes import Call, Route
from shared.errors import DependencyUnavailable, InvalidRequest
from shared.services.idempotency import Reservation, StoredResult

if TYPE_CHECKING:
    from shared.services.chat import ChatTurn

chat_routes = func.Blueprint()

_FRAMES = (MetaFrame, ToolFrame, ChunkFrame, DoneFrame, ErrorFrame)
_EXAMPLE = {"message": "How is AAPL doing compared to MSFT?"}
_PROBLEMS = (401, 409, 413, 415, 422, 502, 503, 504)
_MAX_KEY = 255
_DISCONNECT_POLL_S = 0.25

ask_route = Route(chat_routes, name="chat", path="chat", tag="Chat")
stream_route = Route(chat_routes, name="chat_stream", path="chat/stream", tag="Chat")


@ask_route.operation(
    "POST",
    summary="Ask a question",
    body=ChatRequest,
    returns=ChatAnswer,
    streams=_FRAMES,
    limit="chat",
    access="chat",
    problems=_PROBLEMS,
    idempotent=True,
    example=_EXAMPLE,
)
async def ask(call: Call[ChatRequest]) -> Response:
    """Answers as JSON, or as an event stream with `"stream": true` or `Accept: text/event-stream`. Every number of the
    answer is in `facts`, with its source and moment. An `Idempotency-Key` header makes a repeat get the first result.
    """
    streamed = call.body.stream or "text/event-stream" in call.request.headers.get("accept", "")
    return await _respond(call, streamed=streamed)


@stream_route.operation(
    "POST",
    summary="Ask a question, answered as a stream",
    body=ChatRequest,
    streams=_FRAMES,
    limit="chat",
    access="chat",
    problems=_PROBLEMS,
    idempotent=True,
    example=_EXAMPLE,
)
async def ask_streaming(call: Call[ChatRequest]) -> Response:
    """Sends `data:` lines: a `meta` object, then `tool` and `chunk` objects, one `done` or `error` object, and
    `[DONE]`. Comment lines keep the connection alive."""
    return await _respond(call, streamed=True)


async def _respond(call: Call[ChatRequest], *, streamed: bool) -> Response:
    from functions import chat_frames

    turn = call.app.services.chat.accept(chat_frames.question(call.body))
    reservation = _reserve(call, streamed=streamed)
    if isinstance(reservation, StoredResult):
        headers = dict(sse.HEADERS) if reservation.media_type == sse.MEDIA_TYPE else {"Cache-Control": "no-store"}
        return Response(reservation.content, headers=headers, media_type=reservation.media_type)
    if not streamed:
        return await _whole(call, turn, reservation)

    def settle(content: bytes | None) -> None:
        _settle(reservation, StoredResult(content, sse.MEDIA_TYPE) if content is not None else None)

    heartbeat = call.app.settings.http.heartbeat_s
    return sse.event_stream(_frames(call, turn), call.context, heartbeat_s=heartbeat, on_end=settle)


async def _whole(call: Call[ChatRequest], turn: "ChatTurn", reservation: Reservation | None) -> Response:
    from functions import chat_frames

    result = None
    try:
        text, report = await _until_disconnected(call.request, call.app.services.chat.answer(turn))
        response = json_response(chat_frames.answer(text, report, turn, call.app.clock))
        result = StoredResult(bytes(response.body), "application/json")
    finally:
        _settle(reservation, result)
    return response


async def _frames(call: Call[ChatRequest], turn: "ChatTurn") -> AsyncGenerator[sse.Frame]:
    from functions import chat_frames

    yield chat_frames.meta_frame(turn, call.context.request_id)
    async with aclosing(call.app.services.chat.stream(turn)) as events:
        async for event in events:
            yield chat_frames.frame(event, call.app.clock)


def _reserve(call: Call[ChatRequest], *, streamed: bool) -> StoredResult | Reservation | None:
    key = call.request.headers.get("idempotency-key")
    if key is None:
        return None
    if not key or len(key) > _MAX_KEY:
        raise InvalidRequest(f"Idempotency-Key must have 1 to {_MAX_KEY} characters.", code="validation_failed")
    fingerprint = hashlib.sha256(f"{streamed} {call.body.model_dump_json()}".encode()).hexdigest()
    return call.app.idempotency.begin(call.context.caller, key, fingerprint)


def _settle(reservation: Reservation | None, result: StoredResult | None) -> None:
    if reservation is None:
        return
    if result is None:
        reservation.release()
    else:
        reservation.complete(result)


async def _until_disconnected[T](request: Request, work: Awaitable[T]) -> T:
    """The result of ``work``, which is cancelled when the client goes away: the host tells a handler nothing."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=_DISCONNECT_POLL_S)
            if not task.done() and await request.is_disconnected():
                raise DependencyUnavailable("The client went away.", code="client_disconnected")
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
