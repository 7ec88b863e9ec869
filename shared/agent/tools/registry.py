"""Runs the tool calls that a model asks for, whatever it asks: a bad call is answered, never raised."""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from shared.agent.facts import Fact, FactLedger
from shared.agent.tools.base import Tool, ToolOutput, render, render_error, spec_of
from shared.errors import AppError, DeadlineExceeded, InvalidRequest, SymbolNotFound
from shared.llm.types import ToolCall, ToolSpec
from shared.resilience.deadline import Deadline

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The outcome of one call: ``output`` with the facts in ``found``, or ``error``."""

    call: ToolCall
    arguments: dict[str, object]
    ms: int
    found: FactLedger
    output: ToolOutput | None = None
    error: AppError | None = None

    @property
    def ok(self) -> bool:
        return self.output is not None

    def text(self, facts: Mapping[str, Fact]) -> str:
        """What the model reads, with the answer's facts in place of the call's own."""
        if self.output is not None:
            return render(replace(self.output, facts=tuple(facts[fact.id] for fact in self.output.facts)))
        error = self.error or AppError("The look-up failed.")
        return render_error(error, error.suggestions if isinstance(error, SymbolNotFound) else ())


class ToolRegistry:
    """The tools that one assistant has. ``timeout_s`` bounds each call."""

    def __init__(self, tools: Sequence[Tool[Any]], *, timeout_s: float) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._timeout_s = timeout_s
        self.specs: tuple[ToolSpec, ...] = tuple(spec_of(tool) for tool in tools)

    async def run(self, call: ToolCall, deadline: Deadline) -> ToolResult:
        """Runs one call; only cancellation gets out of it. Calls may run at the same time: each has its own ledger, so
        that the order in which they end does not number the facts."""
        started = time.monotonic()
        arguments = decode_arguments(call)
        found = FactLedger()
        output: ToolOutput | None = None
        error: AppError | None = None
        try:
            output = await self._output(call, arguments, found, deadline.within(self._timeout_s))
        except SymbolNotFound as exc:
            found.introduce(exc.symbol, *exc.suggestions)
            error = exc
        except AppError as exc:
            error = exc
        except Exception:  # noqa: BLE001 - whatever it is, the other tools and the answer go on
            # A defect of one tool costs its result and not the answer; its text is for the log only.
            _log.exception("tool %s failed", call.name)
            error = AppError(f"{call.name} failed on our side.")
        ms = round(1000 * (time.monotonic() - started))
        return ToolResult(call, arguments or {}, ms, found, output, error)

    async def _output(
        self, call: ToolCall, arguments: dict[str, object] | None, ledger: FactLedger, deadline: Deadline
    ) -> ToolOutput:
        tool = self._tools.get(call.name)
        if tool is None:
            raise InvalidRequest(f"There is no such tool; there are {', '.join(self._tools)}.", code="unknown_tool")
        if arguments is None:
            raise InvalidRequest("The arguments are not a JSON object; send the call again.", code="invalid_arguments")
        try:
            checked = tool.arguments.model_validate(arguments)
        except ValidationError as exc:
            reasons = "; ".join(
                f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
                for error in exc.errors(include_url=False, include_input=False, include_context=False)
            )
            raise InvalidRequest(f"The arguments do not fit: {reasons}", code="invalid_arguments") from None
        try:
            async with deadline.enforce():
                return await tool.run(checked, ledger)
        except TimeoutError:
            raise DeadlineExceeded(f"{call.name} took too long.", code="tool_timeout") from None


def decode_arguments(call: ToolCall) -> dict[str, object] | None:
    """The call's arguments, or None when they are not a JSON object."""
    try:
        decoded = json.loads(call.arguments or "{}", parse_constant=_refuse)
        # Half a surrogate pair is valid JSON and cannot be encoded; the arguments are part of the answer's account.
        sendable = json.loads(json.dumps(decoded, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return sendable if isinstance(sendable, dict) else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
