"""A scripted OpenAI: both wires over real HTTP, so that clients are tested on bytes and not on mocks of a library."""

import argparse
import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.doubles.openai_events import (
    Turn,
    chat_answer,
    chat_events,
    error_body,
    frame,
    response_object,
    responses_events,
)
from tests.doubles.openai_http import Connection, HttpDouble, Request
from tests.doubles.openai_scripts import analyst

__all__ = ["OpenAIServer", "Turn"]

_JSON = {"Content-Type": "application/json"}
_SSE = {"Content-Type": "text/event-stream; charset=utf-8"}


class OpenAIServer(HttpDouble):
    """Serves ``script``: one turn, a list of turns of which the last repeats, or a callable from request body to turn.

    A turn of the list may be such a callable itself. ``sent`` counts events, ``completed`` answers that went out whole
    and ``disconnects`` clients that left in the middle of one.
    """

    def __init__(
        self,
        script: Turn | Sequence[Turn | Callable[[dict[str, Any]], Turn]] | Callable[[dict[str, Any]], Turn] = analyst,
        *,
        models: Sequence[str] = ("gpt-scripted", "gpt-scripted-mini"),
        port: int = 0,
    ) -> None:
        super().__init__(port)
        self.script = script
        self.models = models
        self.sent = 0
        self.completed = 0

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of all generation requests, in order."""
        return [request.body for request in self.requests if request.method == "POST"]

    def assert_stateless(self) -> None:
        """No request relied on, or left behind, anything at the provider."""
        for request in self.requests:
            if request.method != "POST":
                continue
            assert "previous_response_id" not in request.body
            sent = json.dumps(request.body.get("input", request.body.get("messages")))
            assert not any(f'"id": "{prefix}' in sent for prefix in ("rs_", "msg_", "fc_", "resp_")), sent
            if request.path.endswith("/responses"):
                assert request.body.get("store") is False

    async def respond(self, request: Request, connection: Connection) -> None:
        self.requests.append(request)
        self.record()
        number = len(self.requests)
        route = (request.method, request.path.partition("?")[0])
        if route == ("GET", "/v1/models"):
            await connection.reply(200, json.dumps(self._model_list()).encode(), _JSON)
        elif route in {("POST", "/v1/chat/completions"), ("POST", "/v1/responses")}:
            await self._play(self._turn(request.body), request, connection, number)
        else:
            await connection.reply(404, json.dumps(error_body("unknown_url")).encode(), _JSON)

    def _model_list(self) -> dict[str, Any]:
        entry = {"object": "model", "created": 1_780_000_000, "owned_by": "scripted"}
        return {"object": "list", "data": [{"id": name, **entry} for name in self.models]}

    def _turn(self, body: dict[str, Any]) -> Turn:
        script = self.script
        if isinstance(script, Sequence):
            script = script[min(len(self.bodies), len(script)) - 1]
        return script if isinstance(script, Turn) else script(body)

    async def _play(self, turn: Turn, request: Request, connection: Connection, number: int) -> None:
        await asyncio.sleep(turn.delay)
        headers = {"x-request-id": f"req_{number}", **turn.headers}
        model = turn.model or request.body.get("model", "scripted")
        chat = request.path.endswith("/completions")
        if turn.status != 200:
            body = json.dumps(turn.error or error_body(None)).encode()
            await connection.reply(turn.status, body, {**_JSON, **headers})
        elif not request.body.get("stream"):
            answer = chat_answer(turn, number, model) if chat else _response(turn, number, model)
            await connection.reply(200, json.dumps(answer).encode(), {**_JSON, **headers})
            self.record(completed=1)
        else:
            connection.head(200, {**_SSE, **headers})
            events = (chat_events if chat else responses_events)(turn, number, model)
            await self._stream(turn, events, connection, chat=chat)

    async def _stream(
        self, turn: Turn, events: Iterator[dict[str, Any]], connection: Connection, *, chat: bool
    ) -> None:
        for count, event in enumerate(events):
            if count == turn.cut:
                connection.close()
                return
            if count == turn.hold:
                await asyncio.Event().wait()
            if count == turn.error_after:
                await connection.write(frame(_error_event(chat), event_line=turn.event_lines))
                connection.end()
                return
            await connection.write(frame(event, event_line=turn.event_lines))
            self.record(sent=1)
            await asyncio.sleep(turn.chunk_delay)
        if chat and turn.terminal and turn.done_marker:
            await connection.write(b"data: [DONE]\n\n")
        connection.end()
        self.record(completed=1)


def _response(turn: Turn, number: int, model: str) -> dict[str, Any]:
    return response_object(turn, number, model, status="incomplete" if turn.finish else "completed")


def _error_event(chat: bool) -> dict[str, Any]:
    if chat:
        return error_body("server_error", kind="server_error")
    return {"type": "error", "code": "server_error", "message": "scripted", "param": None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8899)
    arguments = parser.parse_args()
    with OpenAIServer(analyst, port=arguments.port) as server:
        print(f"Scripted model on {server.base_url} - any key, any model name. Ctrl-C stops it.")
        with contextlib.suppress(KeyboardInterrupt):
            server.wait(lambda: False, timeout=3e6)


if __name__ == "__main__":
    main()
