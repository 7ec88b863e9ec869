"""What the assistant reports while it works, and the account it gives at the end."""

from dataclasses import dataclass, field
from typing import Literal

from shared.agent.facts import Fact
from shared.llm.types import Usage
from shared.market.types import Instrument

Finish = Literal["stop", "length", "content_filter", "tool_limit"]


@dataclass(frozen=True, slots=True)
class ToolProgress:
    """``ms`` is set once the tool has ended."""

    name: str
    status: Literal["started", "done", "failed"]
    symbol: str | None
    ms: int | None = None


@dataclass(frozen=True, slots=True)
class AnswerChunk:
    """Text that has passed the checks and may be shown."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolRecord:
    name: str
    arguments: dict[str, object]
    ok: bool
    ms: int


@dataclass(frozen=True, slots=True)
class Grounding:
    """``unverified`` holds the figures, as the model wrote them, whose sentences were withheld."""

    ok: bool
    unverified: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clarification:
    """The question that has to be answered before the assistant can go on."""

    question: str
    candidates: tuple[Instrument, ...]


@dataclass(frozen=True, slots=True)
class AnswerReport:
    """Always the last event. ``fallback`` says that another provider than the chosen one answered, ``degraded`` that
    the offline analyst stood in for a language model that failed."""

    provider: str
    model: str
    fallback: bool
    degraded: bool
    finish: Finish
    facts: tuple[Fact, ...]
    grounding: Grounding
    needs_clarification: Clarification | None
    tools: tuple[ToolRecord, ...]
    usage: Usage = field(default_factory=Usage)


AgentEvent = ToolProgress | AnswerChunk | AnswerReport
