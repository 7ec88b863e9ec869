"""What the two OpenAI wires send for one scripted turn, event by event and as one JSON answer."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_PIECE = 7


@dataclass(frozen=True)
class Turn:
    """One answer of the scripted model.

    ``finish`` is ``length`` or ``content_filter`` for an answer that was cut. ``cut`` closes the socket, ``hold`` goes
    silent and ``error_after`` ends with an error event, each after that many events. ``failed`` is the code of a
    ``response.failed``. Times are seconds.
    """

    text: str = ""
    tools: tuple[tuple[str, Mapping[str, Any] | str], ...] = ()
    finish: str | None = None
    model: str | None = None
    usage: tuple[int, int] = (11, 7)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None
    delay: float = 0.0
    chunk_delay: float = 0.0
    cut: int | None = None
    hold: int | None = None
    error_after: int | None = None
    failed: str | None = None
    bad_json: bool = False
    terminal: bool = True
    done_marker: bool = True
    event_lines: bool = True
    unknown_events: bool = False
    reasoning: bool = False

    def calls(self, request_number: int) -> list[tuple[str, str, str]]:
        """(call id, name, arguments) of each tool call; arguments given as text go out as they are."""
        return [
            (f"call_{request_number}_{k}", name, self._arguments(arguments))
            for k, (name, arguments) in enumerate(self.tools)
        ]

    def _arguments(self, arguments: Mapping[str, Any] | str) -> str:
        if self.bad_json:
            return "{broken"
        return arguments if isinstance(arguments, str) else json.dumps(arguments)


def pieces(text: str) -> list[str]:
    return [text[i : i + _PIECE] for i in range(0, len(text), _PIECE)]


def error_body(code: str | None, *, kind: str = "invalid_request_error", message: str = "scripted") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def frame(event: dict[str, Any], *, event_line: bool) -> bytes:
    name = f"event: {event['type']}\n" if event_line and "type" in event else ""
    return f"{name}data: {json.dumps(event)}\n\n".encode()


def chat_events(turn: Turn, number: int, model: str) -> Iterator[dict[str, Any]]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**_chat_head(number, model, "chat.completion.chunk"), "choices": [choice], "usage": None}

    yield chunk({"role": "assistant", "content": ""})
    if turn.reasoning:
        yield chunk({"reasoning_content": "hidden thought"})
    for piece in pieces(turn.text):
        yield chunk({"content": piece})
    for index, (call_id, name, arguments) in enumerate(turn.calls(number)):
        function = {"name": name, "arguments": ""}
        yield chunk({"tool_calls": [{"index": index, "id": call_id, "type": "function", "function": function}]})
        for piece in pieces(arguments):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    if turn.unknown_events:
        yield {"object": "chat.brand_new", "novelty": {"content": "never shown"}}
    if turn.terminal:
        yield chunk({}, turn.finish or ("tool_calls" if turn.tools else "stop"))
        yield {**_chat_head(number, model, "chat.completion.chunk"), "choices": [], "usage": _chat_usage(turn)}


def chat_answer(turn: Turn, number: int, model: str) -> dict[str, Any]:
    calls = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in turn.calls(number)
    ]
    message: dict[str, Any] = {"role": "assistant", "content": turn.text or None, "refusal": None}
    if calls:
        message["tool_calls"] = calls
    finish = turn.finish or ("tool_calls" if calls else "stop")
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return {**_chat_head(number, model, "chat.completion"), "choices": [choice], "usage": _chat_usage(turn)}


def _chat_head(number: int, model: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{number}", "object": kind, "created": 1_790_000_000, "model": model}


def _chat_usage(turn: Turn) -> dict[str, int]:
    read, written = turn.usage
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def responses_events(turn: Turn, number: int, model: str) -> Iterator[dict[str, Any]]:
    for sequence, event in enumerate(_responses_events(turn, number, model)):
        yield {"sequence_number": sequence, **event}


def _responses_events(turn: Turn, number: int, model: str) -> Iterator[dict[str, Any]]:
    opening = response_object(turn, number, model, status="in_progress")
    yield {"type": "response.created", "response": opening}
    yield {"type": "response.in_progress", "response": opening}
    output = _output(turn, number)
    for index, item in enumerate(output):
        yield {"type": "response.output_item.added", "output_index": index, "item": _blank(item)}
        if item["type"] == "message":
            yield from _message_events(item, index)
        elif item["type"] == "function_call":
            yield from _call_events(item, index)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    if turn.unknown_events:
        yield {"type": "response.brand_new", "delta": "never shown"}
    if turn.failed is not None:
        response = response_object(turn, number, model, status="failed")
        response["error"] = {"code": turn.failed, "message": "scripted"}
        yield {"type": "response.failed", "response": response}
    elif turn.terminal and turn.finish:
        response = response_object(turn, number, model, status="incomplete")
        reason = "max_output_tokens" if turn.finish == "length" else turn.finish
        yield {"type": "response.incomplete", "response": {**response, "incomplete_details": {"reason": reason}}}
    elif turn.terminal:
        yield {"type": "response.completed", "response": response_object(turn, number, model)}


def _message_events(item: dict[str, Any], index: int) -> Iterator[dict[str, Any]]:
    part = item["content"][0]
    place = {"item_id": item["id"], "output_index": index, "content_index": 0}
    yield {"type": "response.content_part.added", **place, "part": {**part, "text": ""}}
    for piece in pieces(part["text"]):
        yield {"type": "response.output_text.delta", **place, "delta": piece}
    yield {"type": "response.output_text.done", **place, "text": part["text"]}
    yield {"type": "response.content_part.done", **place, "part": part}


def _call_events(item: dict[str, Any], index: int) -> Iterator[dict[str, Any]]:
    place = {"item_id": item["id"], "output_index": index}
    for piece in pieces(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", **place, "delta": piece}
    yield {"type": "response.function_call_arguments.done", **place, "arguments": item["arguments"]}


def response_object(turn: Turn, number: int, model: str, *, status: str = "completed") -> dict[str, Any]:
    finished = status != "in_progress"
    read, written = turn.usage
    usage = {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }
    return {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": status,
        "model": model,
        "output": _output(turn, number) if finished else [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "top_p": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage if finished else None,
    }


def _output(turn: Turn, number: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if turn.reasoning:
        items.append({"type": "reasoning", "id": f"rs_{number}", "summary": []})
    if turn.text:
        part = {"type": "output_text", "text": turn.text, "annotations": []}
        message = {"type": "message", "id": f"msg_{number}", "status": "completed", "role": "assistant"}
        items.append({**message, "content": [part]})
    for k, (call_id, name, arguments) in enumerate(turn.calls(number)):
        call = {"type": "function_call", "id": f"fc_{number}_{k}", "status": "completed", "call_id": call_id}
        items.append({**call, "name": name, "arguments": arguments})
    return items


def _blank(item: dict[str, Any]) -> dict[str, Any]:
    empty = {"message": {"content": []}, "function_call": {"arguments": ""}}.get(item["type"], {})
    return {**item, **empty, "status": "in_progress"}
