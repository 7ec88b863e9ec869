"""The contract of a tool and the shape of what it returns to the model."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from shared.agent.facts import Fact, FactLedger
from shared.errors import AppError
from shared.llm.types import ToolSpec
from shared.market.types import Instrument


class ToolArguments(BaseModel):
    """Base of all argument models: unknown arguments are refused, so a misunderstanding is never silent."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a tool found. ``notes`` are short statements that give the facts their meaning (name, dates, conventions);
    ``candidates`` are the instruments a search found and ``resolved`` says whether the first is the one."""

    facts: tuple[Fact, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)
    candidates: tuple[Instrument, ...] = ()
    resolved: bool = True


class Tool[A: ToolArguments](Protocol):
    """A read-only look-up. ``run`` raises only ``AppError``; ``name`` and ``description`` are what the model sees."""

    name: ClassVar[str]
    description: ClassVar[str]
    arguments: type[A]

    async def run(self, arguments: A, ledger: FactLedger) -> ToolOutput: ...


def spec_of(tool: Tool[Any]) -> ToolSpec:
    """The tool as a model is told about it."""
    schema = tool.arguments.model_json_schema()
    return ToolSpec(tool.name, tool.description, _without_titles(schema))


def render(output: ToolOutput) -> str:
    """The JSON text that the model reads."""
    document: dict[str, Any] = {"ok": True}
    if output.facts:
        document["facts"] = [_fact(fact) for fact in output.facts]
    if output.candidates:
        document["resolved"] = output.resolved
        document["candidates"] = [describe(item) for item in output.candidates]
    if output.notes:
        document["notes"] = output.notes
    return json.dumps(document, ensure_ascii=False)


def render_error(error: AppError, candidates: Sequence[str] = ()) -> str:
    """A failed look-up as the model reads it: an outage and an unknown symbol stay different things."""
    document: dict[str, Any] = {"ok": False, "error": {"code": error.code, "message": error.detail}}
    if candidates:
        document["suggestions"] = list(candidates)
    return json.dumps(document, ensure_ascii=False)


def describe(item: Instrument) -> dict[str, str | None]:
    """An instrument as clients and models see it."""
    return {
        "symbol": item.symbol,
        "name": item.name,
        "exchange": item.exchange,
        "currency": item.currency,
        "type": item.type,
    }


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "id": fact.id,
        "symbol": fact.symbol,
        "name": fact.name,
        "value": fact.value,
        "unit": fact.unit,
        "as_of": fact.as_of.isoformat().replace("+00:00", "Z"),
        "source": fact.source,
        "stale": fact.stale,
    }


def _without_titles(schema: Any) -> Any:
    # Titles repeat the names and cost tokens in every round. Properties named "title" would be mappings, not strings.
    if isinstance(schema, dict):
        return {
            key: _without_titles(value)
            for key, value in schema.items()
            if not (key == "title" and isinstance(value, str))
        }
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    return schema
