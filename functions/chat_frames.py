"""Turns what the assistant reports into what the contract promises; loaded with the first question, not before."""

from typing import Any

from functions.chat_contract import ChatAnswer, ChatRequest, DoneFrame, FactModel, MetaFrame, ToolFrame, ToolModel
from shared.agent.events import AgentEvent, AnswerChunk, AnswerReport, Clarification, ToolProgress
from shared.agent.tools.base import describe
from shared.clock import Clock
from shared.services.chat import DISCLAIMER, ChatQuestion, ChatTurn


def question(request: ChatRequest) -> ChatQuestion:
    conversation = request.conversation_id or request.session_id
    return ChatQuestion(
        message=request.message,
        conversation_id=str(conversation) if conversation else None,
        provider=request.provider,
        model=request.model,
        symbols=tuple(request.symbols),
    )


def answer(text: str, report: AnswerReport, turn: ChatTurn, clock: Clock) -> ChatAnswer:
    return ChatAnswer(
        response=text,
        conversation_id=turn.conversation_id,
        message_id=turn.message_id,
        tools=[ToolModel.model_validate(record) for record in report.tools],
        **_account(report, clock),
    )


def meta_frame(turn: ChatTurn, request_id: str) -> dict[str, object]:
    return MetaFrame(
        provider=turn.selection.provider,
        model=turn.selection.name,
        conversation_id=turn.conversation_id,
        message_id=turn.message_id,
        request_id=request_id,
        prompt_version=turn.prompt_version,
    ).model_dump(mode="json")


def frame(event: AgentEvent, clock: Clock) -> dict[str, object]:
    """The frame of a stream that says what happened."""
    match event:
        case AnswerChunk(text):
            # The hot path: no model in between.
            return {"chunk": text}
        case ToolProgress():
            return ToolFrame.model_validate(event).model_dump(mode="json")
        case AnswerReport():
            done = DoneFrame(**_account(event, clock)).model_dump(mode="json")
            return {"event": done.pop("event"), **done}


def _account(report: AnswerReport, clock: Clock) -> dict[str, Any]:
    usage = report.usage
    return {
        "provider": report.provider,
        "model": report.model,
        "fallback": report.fallback,
        "degraded": report.degraded,
        "finish": report.finish,
        "facts": [FactModel.model_validate(fact) for fact in report.facts],
        "grounding": {"ok": report.grounding.ok, "unverified": list(report.grounding.unverified)},
        "needs_clarification": _clarification(report.needs_clarification),
        "usage": {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens + usage.output_tokens,
        },
        "disclaimer": DISCLAIMER,
        "timestamp": clock.now(),
    }


def _clarification(clarification: Clarification | None) -> dict[str, object] | None:
    if clarification is None:
        return None
    return {
        "question": clarification.question,
        "candidates": [describe(item) for item in clarification.candidates],
    }
