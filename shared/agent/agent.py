"""StockAgent: the loop between a model and the tools, with every sentence checked before it leaves."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from shared.agent.events import AgentEvent, AnswerChunk, AnswerReport, Finish, Grounding, ToolProgress
from shared.agent.failures import caller_error
from shared.agent.grounding.checker import GroundingChecker
from shared.agent.grounding.gate import SentenceGate, Withheld
from shared.agent.prompts import system_prompt
from shared.agent.tools.registry import ToolRegistry, ToolResult, decode_arguments
from shared.agent.turn import ModelChoice, Turn
from shared.clock import SYSTEM_CLOCK, Clock
from shared.errors import DeadlineExceeded
from shared.llm.errors import ModelError
from shared.llm.types import (
    OFFLINE_PROVIDER,
    AssistantMessage,
    Finished,
    FinishReason,
    ModelRequest,
    TextDelta,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from shared.resilience.deadline import Deadline

_log = logging.getLogger(__name__)

# Characters; far beyond any answer. A model that does not stop is stopped here.
_MAX_ANSWER = 40_000
_WITHHELD_NOTE = "Some statements were withheld because their figures could not be traced to the data."
_LIMIT_NOTE = "I stopped here because the limit of data requests for one question was reached."


@dataclass(frozen=True, slots=True)
class AgentLimits:
    max_rounds: int
    max_tool_calls: int
    max_output_tokens: int
    debug_prompt: bool = False
    """Logs what a model is sent. Questions are personal: the configuration allows it outside production only."""


@dataclass(frozen=True, slots=True)
class AgentQuery:
    """A question, and the models that may answer it in order. ``symbols`` are hints from the client's own context."""

    question: str
    choices: Sequence[ModelChoice]
    symbols: tuple[str, ...] = ()


@dataclass(slots=True)
class _Round:
    """What one call of a model has produced so far."""

    gate: SentenceGate
    calls: list[ToolCall] = field(default_factory=list)
    finish: FinishReason = "stop"

    def restart(self) -> None:
        """Forget what a model that failed had said; none of it has left."""
        self.gate = self.gate.anew()
        self.calls.clear()


class StockAgent:
    """Answers one question at a time; holds nothing between questions.

    ``process_query_streaming`` yields progress and checked text, then exactly one ``AnswerReport``. It raises
    ``AppError`` when no answer could be made; text that was yielded before stays valid, it is only incomplete.
    """

    def __init__(self, tools: ToolRegistry, limits: AgentLimits, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._tools = tools
        self._limits = limits
        self._clock = clock

    async def process_query(self, query: AgentQuery, deadline: Deadline) -> tuple[str, AnswerReport]:
        """The whole answer and its account."""
        text: list[str] = []
        async with aclosing(self.process_query_streaming(query, deadline)) as events:
            async for event in events:
                if isinstance(event, AnswerChunk):
                    text.append(event.text)
                elif isinstance(event, AnswerReport):
                    return "".join(text).strip(), event
        raise AssertionError("the stream of an answer ends with its report")

    async def process_query_streaming(self, query: AgentQuery, deadline: Deadline) -> AsyncGenerator[AgentEvent]:
        turn = Turn.begin(_with_hints(query), query.choices)
        checker = GroundingChecker(turn.ledger, _with_hints(query), self._clock.now().date())
        finish: Finish = "stop"
        corrected = False
        for rounds_left in reversed(range(self._limits.max_rounds)):
            correctable = not corrected and turn.choice.client.follows_instructions and rounds_left > 0
            current = _Round(SentenceGate(checker, stop_at_failure=correctable))
            async with aclosing(self._round(turn, current, deadline, last=rounds_left == 0)) as chunks:
                async for chunk in chunks:
                    yield chunk
            if current.calls and rounds_left:
                async with aclosing(self._run_tools(turn, current, deadline)) as progress:
                    async for update in progress:
                        yield update
                continue
            finish = "tool_limit" if current.calls else _finish(current.finish)
            if not (current.gate.withheld and correctable and turn.choice.client.follows_instructions):
                turn.unverified = _numbers(current.gate.withheld)
                break
            corrected = True
            _ask_for_correction(turn, current.gate)
        for chunk in _closing_notes(turn, finish):
            yield chunk
        yield _report(turn, finish)

    async def _round(
        self, turn: Turn, current: _Round, deadline: Deadline, *, last: bool
    ) -> AsyncGenerator[AnswerChunk]:
        """One call of a model, or of the next ones while nothing has been released."""
        while True:
            try:
                async with aclosing(self._stream(turn, current, deadline, last=last)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except ModelError as exc:
                _fall_back(turn, exc)
                current.restart()
            else:
                if current.finish == "content_filter" and not turn.released:
                    raise caller_error(ModelError(turn.choice.provider, "content_filter"))
                return

    async def _stream(
        self, turn: Turn, current: _Round, deadline: Deadline, *, last: bool
    ) -> AsyncGenerator[AnswerChunk]:
        gate = current.gate
        async with aclosing(turn.choice.client.stream(self._request(turn, last=last), deadline)) as events:
            async for event in events:
                match event:
                    case TextDelta(text):
                        # Before it is read: reading costs time in which no other request is served.
                        if len(gate.full_text) + len(text) > _MAX_ANSWER:
                            raise ModelError(turn.choice.provider, "too_large")
                        for chunk in _release(turn, gate, gate.feed(text)):
                            yield chunk
                    case ToolCall():
                        current.calls.append(event)
                    case Finished(reason, usage):
                        current.finish = reason
                        turn.usage += usage
        for chunk in _release(turn, gate, gate.finish()):
            yield chunk

    def _request(self, turn: Turn, *, last: bool) -> ModelRequest:
        if self._limits.debug_prompt:
            _log.info("prompt for %s: %s", turn.choice.model, turn.messages)
        return ModelRequest(
            model=turn.choice.model,
            system=system_prompt(),
            messages=tuple(turn.messages),
            # Without tools in the last round a model has to answer with what it has.
            tools=() if last else self._tools.specs,
            max_output_tokens=self._limits.max_output_tokens,
        )

    async def _run_tools(self, turn: Turn, current: _Round, deadline: Deadline) -> AsyncGenerator[ToolProgress]:
        calls = current.calls
        turn.messages.append(AssistantMessage(current.gate.full_text, tuple(calls)))
        refused: dict[str, str] = {}
        results: dict[str, ToolResult] = {}
        running: set[asyncio.Task[ToolResult]] = set()
        try:
            for call in calls:
                if refusal := self._refusal(turn, call):
                    refused[call.id] = refusal
                    continue
                running.add(asyncio.create_task(self._tools.run(call, deadline)))
                yield ToolProgress(call.name, "started", _symbol(decode_arguments(call)))
            while running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    result = task.result()
                    results[result.call.id] = result
                    yield ToolProgress(
                        result.call.name, "done" if result.ok else "failed", _symbol(result.arguments), result.ms
                    )
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        # In the order of the calls, so that the same question gives the same numbering of facts.
        for call in calls:
            output = refused.get(call.id) or turn.record(results[call.id])
            turn.messages.append(ToolMessage(call.id, call.name, output))
        if deadline.expired:
            raise DeadlineExceeded("The answer took too long.")

    def _refusal(self, turn: Turn, call: ToolCall) -> str | None:
        """Why a call is not run: it was answered before, or there were too many."""
        key = (call.name, json.dumps(decode_arguments(call), sort_keys=True))
        if key in turn.seen_calls:
            return _refused("repeated_call", "This call was answered before; use that result.")
        if len(turn.seen_calls) >= self._limits.max_tool_calls:
            return _refused("tool_limit", "The limit of calls is reached; answer with what you have.")
        turn.seen_calls.add(key)
        return None


def _with_hints(query: AgentQuery) -> str:
    if not query.symbols:
        return query.question
    return f"{query.question}\n\n(Symbols in view: {', '.join(query.symbols)})"


def _fall_back(turn: Turn, error: ModelError) -> None:
    _log.warning("model provider %s failed: %s", error.provider, error.kind)
    if turn.released or not error.may_fall_back or not turn.next_choice():
        raise caller_error(error) from None


def _release(turn: Turn, gate: SentenceGate, text: str) -> list[AnswerChunk]:
    if not text:
        return []
    first_of_round = gate.released == text
    if turn.released and first_of_round and not turn.released.endswith((" ", "\n")):
        text = f" {text}"
    turn.released += text
    return [AnswerChunk(text)]


def _ask_for_correction(turn: Turn, gate: SentenceGate) -> None:
    numbers = ", ".join(_numbers(gate.withheld))
    turn.messages.append(AssistantMessage(gate.full_text))
    sent = gate.released.strip()
    start = f"The reader has your answer up to and including: «{sent[-200:]}». Continue right after it"
    if not sent:
        start = "Nothing of it has reached the reader. Write it again"
    text = (
        f"[check] These figures are in no tool result: {numbers}. {start}, with figures from tool results only; call a "
        "tool if you need one, and leave out what you cannot source. Do not mention this check."
    )
    turn.messages.append(UserMessage(text))


def _numbers(withheld: Sequence[Withheld]) -> list[str]:
    return list(dict.fromkeys(number for item in withheld for number in item.numbers))


def _closing_notes(turn: Turn, finish: Finish) -> list[AnswerChunk]:
    """What the reader has to know about the answer and no model would say."""
    notes = [f"Note on the data: {caveat}." for caveat in turn.unsaid_caveats()]
    if turn.unverified:
        notes.append(_WITHHELD_NOTE)
    if finish == "tool_limit":
        notes.append(_LIMIT_NOTE)
    separator = "\n\n" if turn.released.strip() else ""
    return [AnswerChunk(separator + " ".join(notes))] if notes else []


def _finish(reason: FinishReason) -> Finish:
    return "stop" if reason == "tool_calls" else reason


def _report(turn: Turn, finish: Finish) -> AnswerReport:
    return AnswerReport(
        provider=turn.choice.provider,
        model=turn.choice.model,
        fallback=turn.fell_back,
        degraded=turn.fell_back and turn.choice.provider == OFFLINE_PROVIDER,
        finish=finish,
        facts=turn.ledger.facts,
        grounding=Grounding(not turn.unverified, tuple(turn.unverified)),
        needs_clarification=turn.clarification(),
        tools=tuple(turn.tools),
        usage=turn.usage,
    )


def _symbol(arguments: dict[str, object] | None) -> str | None:
    if not arguments:
        return None
    if isinstance(symbol := arguments.get("symbol"), str):
        return symbol
    symbols = arguments.get("symbols")
    return ",".join(str(item) for item in symbols) if isinstance(symbols, list) else None


def _refused(code: str, message: str) -> str:
    return json.dumps({"ok": False, "error": {"code": code, "message": message}})
