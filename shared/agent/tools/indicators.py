"""get_indicators: technical indicators of one instrument, and where its price stands against them."""

from typing import Any, ClassVar

from pydantic import Field

from shared.agent.facts import Fact, FactLedger
from shared.agent.tools.arguments import Symbol
from shared.agent.tools.base import ToolArguments, ToolOutput
from shared.agent.tools.history_summary import origin_of
from shared.errors import InsufficientData
from shared.market.data_manager import DataManager
from shared.market.splits import without_splits
from shared.market.technicals import DEFAULT_NAMES, Reading, read_indicators
from shared.market.types import History

# The levels at which an RSI is by convention called oversold, neutral and overbought.
RSI_LEVELS = (30.0, 50.0, 70.0)
_MAX_INDICATORS = 8


class IndicatorArguments(ToolArguments):
    symbol: Symbol
    names: list[str] = Field(
        default=list(DEFAULT_NAMES),
        min_length=1,
        max_length=_MAX_INDICATORS,
        description="Any of sma50, sma200, ema20, rsi14, macd, bbands20, atr14, stoch; periods may vary.",
    )


class IndicatorTool:
    name: ClassVar[str] = "get_indicators"
    description: ClassVar[str] = (
        "Technical indicators of one instrument at its newest daily bar, with the distance of the price from its "
        "moving averages. Says which indicators have too few bars."
    )
    arguments = IndicatorArguments

    def __init__(self, market: DataManager) -> None:
        self._market = market

    async def run(self, arguments: IndicatorArguments, ledger: FactLedger) -> ToolOutput:
        history = without_splits(await self._market.history(arguments.symbol, "2y"))
        readings = read_indicators(history.bars, arguments.names)
        ledger.introduce(history.name)
        facts = [fact for reading in readings for fact in _facts(history, reading, ledger)]
        missing = [reading for reading in readings if reading.value is None]
        if not facts:
            names = ", ".join(reading.name for reading in missing)
            ledger.refer(len(history.bars))
            raise InsufficientData(f"{history.symbol} has {len(history.bars)} daily bars, too few for {names}.")
        ledger.refer(*RSI_LEVELS)
        caveat = self._market.caveat(history.source, history.bars[-1].date)
        return ToolOutput(tuple(facts), _notes(history, readings, missing, caveat))


def _facts(history: History, reading: Reading, ledger: FactLedger) -> list[Fact]:
    if reading.value is None:
        return []
    origin = origin_of(history)
    unit = history.currency if reading.unit == "price" else reading.unit
    if reading.parts:
        return [ledger.add(origin, _part_name(reading, part), value, unit) for part, value in reading.parts.items()]
    facts = [ledger.add(origin, reading.name, reading.value, unit)]
    if reading.name.startswith(("sma", "ema")):
        distance = 100 * (history.bars[-1].close / reading.value - 1)
        facts.append(ledger.add(origin, f"close_vs_{reading.name}", distance, "percent"))
    return facts


def _part_name(reading: Reading, part: str) -> str:
    return part if part == reading.name else f"{reading.name}_{part}"


def _notes(
    history: History, readings: tuple[Reading, ...], missing: list[Reading], caveat: str | None
) -> dict[str, Any]:
    notes: dict[str, Any] = {
        "name": history.name,
        "bars_used": len(history.bars),
        "conventions": {reading.name: reading.convention for reading in readings},
        "rsi_levels": {"oversold_below": 30, "neutral": 50, "overbought_above": 70},
    }
    if missing:
        notes["insufficient_data"] = {
            reading.name: f"needs {reading.bars_needed} bars, there are {reading.bars_used}" for reading in missing
        }
    if caveat:
        notes["warning"] = caveat
    return notes
