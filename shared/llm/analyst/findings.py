"""What the tools have answered so far, read back from the conversation: the analyst itself remembers nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.llm.types import AssistantMessage, Message, ToolCall, ToolMessage


@dataclass(frozen=True, slots=True)
class Finding:
    """One tool result as the model reads it."""

    document: dict[str, Any]

    @property
    def ok(self) -> bool:
        return bool(self.document.get("ok"))

    @property
    def error_code(self) -> str | None:
        code = self.document.get("error", {}).get("code")
        return code if isinstance(code, str) else None

    @property
    def was_refused(self) -> bool:
        """Not looked up at all: the limit of look-ups was reached."""
        return self.error_code == "tool_limit"

    @property
    def error_message(self) -> str:
        return str(self.document.get("error", {}).get("message", ""))

    @property
    def notes(self) -> dict[str, Any]:
        notes = self.document.get("notes", {})
        return notes if isinstance(notes, dict) else {}

    @property
    def candidates(self) -> list[dict[str, Any]]:
        return list(self.document.get("candidates", ()))

    @property
    def resolved(self) -> bool:
        return bool(self.document.get("resolved"))

    def value(self, name: str, symbol: str | None = None) -> float | None:
        """The value of the fact called ``name``; of ``symbol`` where the result holds several."""
        for fact in self.document.get("facts", ()):
            if fact["name"] == name and symbol in {None, fact["symbol"]}:
                return float(fact["value"])
        return None

    def fact(self, name: str) -> dict[str, Any]:
        return next((fact for fact in self.document.get("facts", ()) if fact["name"] == name), {})


@dataclass(slots=True)
class Findings:
    """Results by tool and arguments; a call that was made and refused counts as answered."""

    _results: dict[tuple[str, str], Finding] = field(default_factory=dict)

    @classmethod
    def read(cls, messages: Sequence[Message]) -> "Findings":
        findings = cls()
        calls: dict[str, ToolCall] = {}
        for message in messages:
            if isinstance(message, AssistantMessage):
                calls |= {call.id: call for call in message.tool_calls}
            elif isinstance(message, ToolMessage) and (call := calls.get(message.call_id)):
                finding = Finding(_document(message.output))
                # A refused repetition says nothing new; the result is the one that came before.
                if finding.error_code != "repeated_call":
                    findings._results[call.name, _key(call.arguments)] = finding
        return findings

    @property
    def any_refused(self) -> bool:
        return any(finding.was_refused for finding in self._results.values())

    def of(self, name: str, **arguments: object) -> Finding | None:
        return self._results.get((name, _key(json.dumps(arguments))))


def _key(arguments: str) -> str:
    try:
        return json.dumps(json.loads(arguments or "{}"), sort_keys=True)
    except (ValueError, RecursionError):
        # A language model wrote it before the analyst took over; it is no call that the analyst would make.
        return arguments


def _document(output: str) -> dict[str, Any]:
    decoded = json.loads(output)
    return decoded if isinstance(decoded, dict) else {}
