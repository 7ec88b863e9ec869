"""What chat takes and gives: the request, the whole answer, and the frames of a stream."""

import re
import unicodedata
from typing import Annotated, Any, Literal

from pydantic import UUID4, Field, StrictBool, StringConstraints, field_validator

from functions.fields import RequestModel, ResponseModel, UtcMoment

# Control characters except tab and line breaks, and the marks that change the direction of text unseen.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_MAX_MESSAGE = 8000


class ChatRequest(RequestModel):
    """A question."""

    message: str = Field(
        max_length=4 * _MAX_MESSAGE,
        description="1 to 8,000 characters after trimming.",
        json_schema_extra={"minLength": 1, "maxLength": _MAX_MESSAGE},
    )
    conversation_id: UUID4 | None = None
    session_id: UUID4 | None = Field(
        default=None, description="An old name of conversation_id.", json_schema_extra={"deprecated": True}
    )
    provider: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}$")] | None = None
    model: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:/@-]{1,200}$")] | None = None
    symbols: list[Annotated[str, StringConstraints(min_length=1, max_length=64)]] = Field(
        default_factory=list, max_length=5, description="Symbols that the user is looking at."
    )
    stream: StrictBool = False

    @field_validator("message")
    @classmethod
    def _readable(cls, value: str) -> str:
        cleaned = _INVISIBLE.sub("", unicodedata.normalize("NFC", value)).strip()
        if not cleaned:
            raise ValueError("must hold at least one character")
        if len(cleaned) > _MAX_MESSAGE:
            raise ValueError(f"may have at most {_MAX_MESSAGE} characters")
        return cleaned


class FactModel(ResponseModel):
    """A value that a tool returned. ``unit`` is a currency code or one of percent, percentage_points, points, ratio,
    shares, bars."""

    id: str
    symbol: str
    name: str
    value: float
    unit: str
    currency: str | None
    as_of: UtcMoment
    source: str
    stale: bool
    delayed_by_s: int | None


class GroundingModel(ResponseModel):
    """``unverified`` lists figures, as the model wrote them, whose sentences were withheld."""

    ok: bool
    unverified: list[str]


class CandidateModel(ResponseModel):
    symbol: str
    name: str
    exchange: str | None
    currency: str | None
    type: str


class ClarificationModel(ResponseModel):
    question: str
    candidates: list[CandidateModel]


class ToolModel(ResponseModel):
    name: str
    arguments: dict[str, Any]
    ok: bool
    ms: int


class UsageModel(ResponseModel):
    input_tokens: int
    output_tokens: int
    total_tokens: int


Finish = Literal["stop", "length", "content_filter", "tool_limit"]


class _Account(ResponseModel):
    """What is said about every finished answer."""

    provider: str
    model: str
    fallback: bool
    degraded: bool
    finish: Finish
    facts: list[FactModel]
    grounding: GroundingModel
    needs_clarification: ClarificationModel | None
    usage: UsageModel
    disclaimer: str
    timestamp: UtcMoment


class ChatAnswer(_Account):
    response: str
    conversation_id: str
    message_id: str
    tools: list[ToolModel]


class MetaFrame(ResponseModel):
    """The first frame: the model that was chosen; the last frame says which one answered."""

    event: Literal["meta"] = "meta"
    provider: str
    model: str
    conversation_id: str
    message_id: str
    request_id: str
    prompt_version: str


class ToolFrame(ResponseModel):
    event: Literal["tool"] = "tool"
    name: str
    status: Literal["started", "done", "failed"]
    symbol: str | None
    ms: int | None


class ChunkFrame(ResponseModel):
    """A piece of the answer; its numbers have been checked."""

    chunk: str


class DoneFrame(_Account):
    event: Literal["done"] = "done"


class ErrorFrame(ResponseModel):
    """Instead of ``done``: the answer is incomplete. ``partial`` says whether any of it was sent."""

    event: Literal["error"] = "error"
    error: str
    code: str
    retryable: bool
    partial: bool
