"""Chat Completions, the dialect that every OpenAI-compatible server speaks."""

import json
from typing import Any

from shared.llm.stream_faults import StreamFault
from shared.llm.strict_schema import is_strict
from shared.llm.types import (
    AssistantMessage,
    FinishReason,
    Message,
    ModelRequest,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from shared.llm.wire import CallDraft, WireReader, mapping, sendable_arguments, text, usage_of

_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
# Hidden thinking is a sign of life and nothing else; servers disagree on its name.
_REASONING = ("reasoning_content", "reasoning")


class ChatWire:
    path = "/chat/completions"

    def body(self, request: ModelRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [
                {"role": "system", "content": request.system},
                *(_message(message) for message in request.messages),
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if request.tools:
            body["tools"] = [_tool(spec) for spec in request.tools]
        if request.max_output_tokens is not None:
            body["max_completion_tokens"] = request.max_output_tokens
        return body

    def reader(self) -> WireReader:
        return ChatReader()


def _message(message: Message) -> dict[str, Any]:
    match message:
        case UserMessage():
            return {"role": "user", "content": message.text}
        case AssistantMessage(tool_calls=()):
            return {"role": "assistant", "content": message.text}
        case AssistantMessage():
            calls = [_call(call) for call in message.tool_calls]
            return {"role": "assistant", "content": message.text or None, "tool_calls": calls}
        case ToolMessage():
            return {"role": "tool", "tool_call_id": message.call_id, "content": message.output}


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": sendable_arguments(call)}
    return {"id": call.id, "type": "function", "function": function}


def _tool(spec: ToolSpec) -> dict[str, Any]:
    function: dict[str, Any] = {
        "name": spec.name,
        "description": spec.description,
        "parameters": spec.parameters,
    }
    if is_strict(spec.parameters):
        function["strict"] = True
    return {"type": "function", "function": function}


class ChatReader(WireReader):
    """Complete with a finish_reason or ``[DONE]``: some servers never send the one, some never the other."""

    def __init__(self) -> None:
        super().__init__()
        self._done = False

    @property
    def complete(self) -> bool:
        return self._done or self.reason is not None

    @property
    def ended(self) -> bool:
        # The usage follows the finish_reason in a chunk of its own.
        return self._done

    def _mark_done(self) -> None:
        self._done = True

    def _read(self, event: dict[str, Any]) -> str:
        if event.get("error"):
            raise StreamFault("upstream_lost")
        if event.get("usage"):
            self.usage = usage_of(event["usage"], "prompt_tokens", "completion_tokens")
        choices = event.get("choices")
        if not isinstance(choices, list) or not choices:
            return ""
        choice = mapping(choices[0])
        if reason := text(choice.get("finish_reason")):
            self.reason = _REASONS.get(reason, "stop")
        return self._read_delta(mapping(choice.get("delta")))

    def _read_delta(self, delta: dict[str, Any]) -> str:
        calls = delta.get("tool_calls")
        if isinstance(calls, list):
            for call in calls:
                self._take_call(mapping(call))
        added = text(delta.get("content")) or text(delta.get("refusal"))
        if added or calls or any(delta.get(name) for name in _REASONING):
            self.started = True
        return added

    def _take_call(self, piece: dict[str, Any]) -> None:
        function = mapping(piece.get("function"))
        draft = self._draft(piece.get("index"), text(piece.get("id")))
        draft.name = draft.name or text(function.get("name"))
        arguments = function.get("arguments")
        draft.arguments += json.dumps(arguments) if isinstance(arguments, dict) else text(arguments)

    def _draft(self, index: Any, call_id: str) -> CallDraft:
        """Pieces belong together by index; but Ollama gives several calls one index, and others give none."""
        key: object = index if isinstance(index, int) else (call_id or (next(reversed(self.calls), 0)))
        draft = self.calls.setdefault(key, CallDraft(id=call_id))
        if call_id and draft.id and draft.id != call_id:
            return self.calls.setdefault((key, call_id), CallDraft(id=call_id))
        draft.id = draft.id or call_id
        return draft
