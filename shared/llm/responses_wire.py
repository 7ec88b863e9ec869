"""The Responses API, used statelessly: the whole input each time, nothing stored, no ids of the provider sent back."""

from typing import Any

from shared.llm.errors import ErrorKind
from shared.llm.stream_faults import StreamFault
from shared.llm.strict_schema import is_strict
from shared.llm.types import (
    AssistantMessage,
    FinishReason,
    Message,
    ModelRequest,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from shared.llm.wire import CallDraft, WireReader, mapping, sendable_arguments, text, usage_of

# `response.created`, `.queued` and `.in_progress` are no sign of generation: they come before any work.
_SIGNS_OF_GENERATION = (
    "response.output_text.",
    "response.function_call_arguments.",
    "response.output_item.",
    "response.content_part.",
    "response.reasoning",
    "response.refusal.",
)
_CUT_BECAUSE: dict[str, FinishReason] = {"max_output_tokens": "length", "content_filter": "content_filter"}
_FAILED_BECAUSE: dict[str, ErrorKind] = {
    "rate_limit_exceeded": "rate_limited",
    "insufficient_quota": "quota",
    "context_length_exceeded": "context_length",
    "content_filter": "content_filter",
    "invalid_prompt": "bad_request",
}


class ResponsesWire:
    path = "/responses"

    def body(self, request: ModelRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": request.model,
            "instructions": request.system,
            "input": [item for message in request.messages for item in _items(message)],
            "stream": True,
            "store": False,
        }
        if request.tools:
            body["tools"] = [_tool(spec) for spec in request.tools]
        if request.max_output_tokens is not None:
            body["max_output_tokens"] = request.max_output_tokens
        return body

    def reader(self) -> WireReader:
        return ResponsesReader()


def _items(message: Message) -> list[dict[str, Any]]:
    match message:
        case UserMessage():
            return [{"type": "message", "role": "user", "content": message.text}]
        case AssistantMessage():
            said = [{"type": "message", "role": "assistant", "content": message.text}] if message.text else []
            return said + [
                {
                    "type": "function_call",
                    "call_id": call.id,
                    "name": call.name,
                    "arguments": sendable_arguments(call),
                }
                for call in message.tool_calls
            ]
        case ToolMessage():
            return [{"type": "function_call_output", "call_id": message.call_id, "output": message.output}]


def _tool(spec: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "name": spec.name,
        "description": spec.description,
        "parameters": spec.parameters,
        # Left out it would mean true on this wire.
        "strict": is_strict(spec.parameters),
    }


class ResponsesReader(WireReader):
    """Only ``data.type`` counts: ``event:`` lines may be missing and unknown types are ignored."""

    @property
    def complete(self) -> bool:
        return self.reason is not None

    @property
    def ended(self) -> bool:
        return self.reason is not None

    def _mark_done(self) -> None:
        """Tolerated, and not enough: this wire ends with an event."""

    def _read(self, event: dict[str, Any]) -> str:
        kind = text(event.get("type"))
        if kind.startswith(_SIGNS_OF_GENERATION):
            self.started = True
        match kind:
            case "response.output_text.delta" | "response.refusal.delta":
                return text(event.get("delta"))
            case "response.function_call_arguments.delta":
                self._draft(event).arguments += text(event.get("delta"))
            case "response.function_call_arguments.done":
                draft = self._draft(event)
                draft.arguments = text(event.get("arguments")) or draft.arguments
            case "response.output_item.added" | "response.output_item.done":
                self._take_item(event, mapping(event.get("item")))
            case _:
                self._take_end(kind, event)
        return ""

    def _draft(self, event: dict[str, Any]) -> CallDraft:
        index = event.get("output_index")
        key = index if isinstance(index, int) else text(event.get("item_id"))
        return self.calls.setdefault(key, CallDraft())

    def _take_item(self, event: dict[str, Any], item: dict[str, Any]) -> None:
        if item.get("type") != "function_call":
            return
        draft = self._draft({"item_id": item.get("id"), **event})
        draft.id = text(item.get("call_id")) or draft.id
        draft.name = text(item.get("name")) or draft.name
        draft.arguments = text(item.get("arguments")) or draft.arguments

    def _take_end(self, kind: str, event: dict[str, Any]) -> None:
        response = mapping(event.get("response"))
        match kind:
            case "response.completed":
                self._end("stop", response)
            case "response.incomplete":
                reason = _CUT_BECAUSE.get(text(mapping(response.get("incomplete_details")).get("reason")))
                if reason is None:
                    raise StreamFault("truncated")
                self._end(reason, response)
            case "response.failed":
                code = text(mapping(response.get("error")).get("code"))
                raise StreamFault(_FAILED_BECAUSE.get(code, "server_error"))
            case "error" | "response.cancelled":
                raise StreamFault("upstream_lost")
            case _ if event.get("error"):
                raise StreamFault("upstream_lost")

    def _end(self, reason: FinishReason, response: dict[str, Any]) -> None:
        self.reason = reason
        self.usage = usage_of(response.get("usage"), "input_tokens", "output_tokens")
