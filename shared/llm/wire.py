"""What the two OpenAI wires have in common: when a round is complete, and what it then consists of."""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from shared.llm.stream_faults import StreamFault
from shared.llm.types import Finished, FinishReason, ModelRequest, ToolCall, Usage


def event_of(payload: bytes) -> dict[str, Any]:
    """The JSON object of one event. Raises ``StreamFault`` when it is none."""
    try:
        event = json.loads(payload.decode())
    except (ValueError, RecursionError):
        raise StreamFault("upstream_malformed") from None
    if not isinstance(event, dict):
        raise StreamFault("upstream_malformed")
    return event


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one: foreign shapes must not raise ``AttributeError``."""
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def usage_of(value: Any, input_key: str, output_key: str) -> Usage:
    counts = mapping(value)
    read, written = counts.get(input_key), counts.get(output_key)
    return Usage(read if isinstance(read, int) else 0, written if isinstance(written, int) else 0)


def sendable_arguments(call: ToolCall) -> str:
    """The arguments as history: some servers refuse a whole conversation for one broken argument text in its past."""
    try:
        valid = isinstance(json.loads(call.arguments), dict)
    except (ValueError, RecursionError):
        valid = False
    return call.arguments if valid else "{}"


@dataclass(slots=True)
class CallDraft:
    """A tool call under construction."""

    id: str = ""
    name: str = ""
    arguments: str = ""


class WireReader(ABC):
    """One response being read. ``started`` turns true at the first sign of generation, be it text or not."""

    def __init__(self) -> None:
        self.started = False
        self.reason: FinishReason | None = None
        self.usage = Usage()
        self.calls: dict[object, CallDraft] = {}
        self._events = 0
        self._spoke = False

    @property
    @abstractmethod
    def complete(self) -> bool:
        """Whether the wire has said that the answer is whole."""

    @property
    @abstractmethod
    def ended(self) -> bool:
        """Whether nothing that matters can follow."""

    @abstractmethod
    def _read(self, event: dict[str, Any]) -> str:
        """Take in one event; the text it adds, often none."""

    @abstractmethod
    def _mark_done(self) -> None:
        """``[DONE]`` was read."""

    def read(self, payload: bytes) -> str:
        """Take in one payload; the text it adds, often none. Raises ``StreamFault``."""
        if payload == b"[DONE]":
            self._events += 1
            self._mark_done()
            return ""
        event = event_of(payload)
        self._events += 1
        added = self._read(event)
        if added and not self._spoke:
            self._spoke = not added.isspace()
        return added

    def conclude(self) -> tuple[tuple[ToolCall, ...], Finished]:
        """The tool calls and the end of a complete round. Raises ``StreamFault`` for one that is not."""
        if not self.complete:
            raise StreamFault("truncated" if self._events else "empty_answer")
        if self.reason in ("length", "content_filter"):
            # The answer was cut, so the last call may be, too: none is handed over.
            if not self._spoke and self.reason == "length":
                raise StreamFault("empty_answer")
            return (), Finished(self.reason, self.usage)
        calls = self._finished_calls()
        if not calls and not self._spoke:
            raise StreamFault("empty_answer")
        return calls, Finished("tool_calls" if calls else "stop", self.usage)

    def _finished_calls(self) -> tuple[ToolCall, ...]:
        calls: list[ToolCall] = []
        taken: set[str] = set()
        for draft in self.calls.values():
            if not draft.name:
                raise StreamFault("upstream_malformed")
            call_id = draft.id if draft.id and draft.id not in taken else f"call_{uuid4().hex}"
            taken.add(call_id)
            calls.append(ToolCall(call_id, draft.name, draft.arguments))
        return tuple(calls)


class Wire(Protocol):
    """One dialect: where a request goes, what it looks like, and who reads the answer."""

    path: str

    def body(self, request: ModelRequest) -> dict[str, Any]: ...

    def reader(self) -> WireReader: ...
