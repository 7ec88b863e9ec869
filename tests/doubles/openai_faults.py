"""A provider that fails: the first path segment names the fault, so that one server plays every broken upstream."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.canaries import UPSTREAM_CANARIES
from tests.doubles.openai_events import error_body, frame
from tests.doubles.openai_http import Connection, HttpDouble, Request

CANARY = UPSTREAM_CANARIES[0]
TEXT = "Grüße, 株価 📈"

_SSE = {"Content-Type": "text/event-stream"}
_JSON = {"Content-Type": "application/json"}
_HTML = {"Content-Type": "text/html"}
_PAGE = f"<html><body>502 upstream said {CANARY}</body></html>".encode()


@dataclass(frozen=True)
class Wire:
    """The frames of one wire."""

    chat: bool

    def head(self) -> bytes:
        """What comes before any sign of generation."""
        if self.chat:
            return _chat({"role": "assistant", "content": ""})
        return _response("created", "in_progress")

    def delta(self, text: str) -> bytes:
        if self.chat:
            return _chat({"content": text})
        return _frame({"type": "response.output_text.delta", "output_index": 0, "delta": text})

    def finish(self, reason: str = "stop") -> bytes:
        if self.chat:
            return _chat({}, reason) + self.done()
        if reason == "stop":
            return _response("completed", "completed")
        details = {"reason": "max_output_tokens" if reason == "length" else reason}
        return _response("incomplete", "incomplete", incomplete_details=details)

    def nothing(self) -> bytes:
        """A whole stream that says nothing."""
        if self.chat:
            return _frame({"choices": []}) * 2 + self.done()
        return self.head() + self.finish()

    def error(self) -> bytes:
        if self.chat:
            return _frame(_error("server_error"))
        return _frame({"type": "error", "code": "server_error", "message": f"boom {CANARY}", "param": None})

    def done(self) -> bytes:
        return b"data: [DONE]\n\n" if self.chat else b""


Fault = Callable[["OpenAIFaults", Connection, Wire], Awaitable[None]]
FAULTS: dict[str, Fault] = {}


class OpenAIFaults(HttpDouble):
    """``base_url(fault)`` is the provider with that fault; ``hits`` counts the requests that reached each."""

    def __init__(self) -> None:
        super().__init__()
        self.hits: Counter[str] = Counter()

    def base_url(self, fault: str) -> str:
        return f"{self.url}/{fault}/v1"

    async def respond(self, request: Request, connection: Connection) -> None:
        fault = request.path.split("/")[1]
        self.requests.append(request)
        self.hits[fault] += 1
        self.record()
        if request.method == "GET" and fault == "ok":
            entry = {"id": "gpt-raw", "object": "model", "created": 1_780_000_000, "owned_by": "raw"}
            await connection.reply(200, json.dumps({"object": "list", "data": [entry]}).encode(), _JSON)
        else:
            await FAULTS[fault](self, connection, Wire(request.path.endswith("/completions")))


def _fault(play: Fault) -> Fault:
    FAULTS[play.__name__] = play
    return play


def _frame(event: dict[str, Any]) -> bytes:
    return frame(event, event_line=True)


def _chat(delta: dict[str, Any], finish: str | None = None) -> bytes:
    return _frame({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _response(kind: str, status: str, **more: Any) -> bytes:
    return _frame({"type": f"response.{kind}", "response": {"id": "resp_raw", "status": status, **more}})


def _error(code: str | None, kind: str = "server_error") -> dict[str, Any]:
    return error_body(code, kind=kind, message=f"Incorrect API key provided: {CANARY}")


async def _silence() -> None:
    """Until the client gives up."""
    await asyncio.Event().wait()


async def _stream(connection: Connection, *frames: bytes) -> None:
    connection.head(200, _SSE)
    for data in frames:
        await connection.write(data)


async def _whole(connection: Connection, *frames: bytes) -> None:
    await _stream(connection, *frames)
    connection.end()


def _refusal(name: str, status: int, error: dict[str, Any], **headers: str) -> None:
    async def play(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        await connection.reply(status, json.dumps(error).encode(), {**_JSON, **sent})

    FAULTS[name] = play


_refusal("r429_1", 429, _error("rate_limit_exceeded", "requests"), Retry_After="1")
_refusal("r429_30", 429, _error("rate_limit_exceeded", "requests"), Retry_After="30")
_refusal("r429_ms", 429, _error(None), Retry_After="30", retry_after_ms="1500")
_refusal("r429_date", 429, _error(None), Retry_After="Sat, 01 Jan 2050 00:00:00 GMT")
_refusal("r429_nonsense", 429, _error(None), Retry_After="soon, or nan")
_refusal("r429_quota", 429, _error("insufficient_quota", "insufficient_quota"))
_refusal("e401", 401, _error("invalid_api_key"))
_refusal("e403", 403, _error("forbidden"))
_refusal("e404", 404, _error("model_not_found"))
_refusal("e409", 409, _error(None))
_refusal("e422", 422, _error(None, "invalid_request_error"))
_refusal("e529", 529, _error("overloaded"))
_refusal("ctx", 400, _error("context_length_exceeded", "invalid_request_error"))
_refusal("filter", 400, _error("content_filter", "invalid_request_error"))
_refusal("e400", 400, _error("unsupported_parameter", "invalid_request_error"))


@_fault
async def ok(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _whole(connection, wire.head(), *(wire.delta(word) for word in ("one ", "two ", "three")), wire.finish())


@_fault
async def utf8split(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    text = wire.delta(TEXT).decode().encode()
    # The double escapes non-ASCII; a real provider sends it raw.
    raw = text.replace(json.dumps(TEXT).encode(), json.dumps(TEXT, ensure_ascii=False).encode())
    assert raw != text
    everything = wire.head() + raw + wire.finish()
    await _whole(connection, *(everything[i : i + 1] for i in range(len(everything))))


@_fault
async def length(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _whole(connection, wire.head(), wire.delta("one"), wire.finish("length"))


@_fault
async def filter_mid(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _whole(connection, wire.head(), wire.delta("one"), wire.finish("content_filter"))


@_fault
async def filter_silent(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _whole(connection, wire.head(), wire.finish("content_filter"))


@_fault
async def e500(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await connection.reply(500, _PAGE, _HTML)


@_fault
async def e400_endless(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    connection.head(400, _JSON)
    while True:
        await connection.write(b"x" * 65_536)


@_fault
async def r429_drip(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    connection.head(429, {**_JSON, "Retry-After": "1"})
    while True:
        await connection.write(b" ")
        await asyncio.sleep(0.02)


@_fault
async def noheaders(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _silence()


@_fault
async def noft(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _stream(connection, wire.head())
    await _silence()


@_fault
async def heartbeats(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    """Alive and useless: comments, and no token ever."""
    await _stream(connection, wire.head())
    while True:
        await connection.write(b": keep-alive\n\n")
        await asyncio.sleep(0.02)


@_fault
async def hang_mid(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _stream(connection, wire.head(), wire.delta("one"))
    await _silence()


@_fault
async def drip(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    """One byte per 20 ms, so that no single event is through before a test's budget is over."""
    connection.head(200, _SSE)
    for byte in wire.delta("one " * 100):
        await connection.write(bytes([byte]))
        await asyncio.sleep(0.02)


@_fault
async def drip_tokens(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _stream(connection, wire.head())
    while True:
        await connection.write(wire.delta("one "))
        await asyncio.sleep(0.02)


@_fault
async def rst(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _stream(connection, wire.head(), wire.delta("one"))
    # Long enough for the client to have read it: a RST throws away what is unread.
    await asyncio.sleep(0.05)
    connection.reset()


@_fault
async def rst_at_once(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    connection.reset()


@_fault
async def cut_chunked(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _stream(connection, wire.head(), wire.delta("one"))
    connection.close()


@_fault
async def cut_in_event(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _whole(connection, wire.head(), wire.delta("one"), wire.delta("two")[:-20])


@_fault
async def clean_no_done(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _whole(connection, wire.head(), wire.delta("one"), wire.delta("two"))


@_fault
async def only_head(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _whole(connection, wire.head())


@_fault
async def emptystream(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _whole(connection)


@_fault
async def badjson(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _whole(connection, wire.head(), wire.delta("one"), b'data: {"broken": \n\n', wire.finish())


@_fault
async def notobject(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _whole(connection, b"data: [1, 2]\n\n", wire.finish())


@_fault
async def deepjson(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _whole(connection, b"data: " + b"[" * 200_000 + b"\n\n", wire.finish())


@_fault
async def wrongct(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await connection.reply(200, _PAGE, _HTML)


@_fault
async def empty_choices(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _whole(connection, wire.nothing())


@_fault
async def null_content(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    nothing = _chat({"content": None}) if wire.chat else wire.delta("")
    await _whole(connection, wire.head(), nothing, wire.finish())


@_fault
async def err_mid(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _whole(connection, wire.head(), wire.delta("one"), wire.error())


@_fault
async def err_object(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _whole(connection, wire.head(), wire.delta("one"), _frame(_error("server_error")))


@_fault
async def huge(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _stream(connection, wire.head())
    for _ in range(20_000):
        await connection.write(wire.delta("x" * 65_536))


@_fault
async def huge_line(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _stream(connection, b"data: ")
    for _ in range(20_000):
        await connection.write(b"x" * 65_536)


@_fault
async def redirect(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    path = "chat/completions" if wire.chat else "responses"
    await connection.reply(307, b"", {"Location": f"{server.base_url('ok')}/{path}"})


@_fault
async def hang_after_finish(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    """The answer is whole, and then the connection is simply left open."""
    await _stream(connection, wire.head(), wire.delta("one"), wire.finish().removesuffix(wire.done()))
    await _silence()


@_fault
async def rst_after_finish(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    await _stream(connection, wire.head(), wire.delta("one"), wire.finish().removesuffix(wire.done()))
    await asyncio.sleep(0.05)
    connection.reset()


@_fault
async def json_empty(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    empty = {"choices": []} if wire.chat else {"status": "completed", "output": []}
    await connection.reply(200, json.dumps(empty).encode(), _JSON)


@_fault
async def json_null(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    message = {"message": {"role": "assistant", "content": None}, "finish_reason": "stop"}
    null = {"choices": [message]} if wire.chat else {"status": "completed", "output": None}
    await connection.reply(200, json.dumps(null).encode(), _JSON)


@_fault
async def json_trunc(server: OpenAIFaults, connection: Connection, wire: Wire) -> None:
    connection.head(200, {**_JSON, "Content-Length": "4096"})
    await connection.write(b'{"choices": [{"mess')
    connection.close()
