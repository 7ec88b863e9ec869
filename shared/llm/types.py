"""The neutral vocabulary between the agent and any model: no provider's ids or shapes cross it."""

from dataclasses import dataclass, field
from typing import Any, Literal

OFFLINE_PROVIDER = "offline"
"""The name of the provider that answers by rules, without a language model."""

FinishReason = Literal["stop", "tool_calls", "length", "content_filter"]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool the model may call; ``parameters`` is a JSON Schema object with ``additionalProperties: false``."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model asks for. ``id`` is unique within one turn; ``arguments`` is the raw JSON text, unchecked."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class UserMessage:
    text: str


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """What the model said and asked for in one round."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """The result of one tool call, as the JSON text that the model reads."""

    call_id: str
    name: str
    output: str


Message = UserMessage | AssistantMessage | ToolMessage


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One round of a conversation. ``messages`` is the whole input, every time: nothing is kept at the provider."""

    model: str
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens)


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of every complete round; a stream that ends without it raised ``ModelError``."""

    reason: FinishReason
    usage: Usage = field(default_factory=Usage)


ModelEvent = TextDelta | ToolCall | Finished


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """An entry of a provider's model list; ``created`` is a Unix time, 0 when the provider does not say."""

    id: str
    created: int = 0
    owned_by: str = ""
