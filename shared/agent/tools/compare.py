"""compare: several instruments over the one window that all of them cover."""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from shared.agent.facts import Fact, FactLedger
from shared.agent.tools.arguments import Period, Symbol
from shared.agent.tools.base import ToolArguments, ToolOutput
from shared.agent.tools.history_summary import origin_of
from shared.errors import InsufficientData
from shared.market import statistics
from shared.market.data_manager import DataManager
from shared.market.splits import without_splits
from shared.market.types import Bar, History


class CompareArguments(ToolArguments):
    symbols: list[Symbol] = Field(min_length=2, max_length=5)
    period: Period = "1y"


class CompareTool:
    name: ClassVar[str] = "compare"
    description: ClassVar[str] = (
        "Returns, volatility and drawdown of two to five instruments over the window that all of them cover. Use it "
        "for any comparison: percentages compare across currencies, prices do not."
    )
    arguments = CompareArguments

    def __init__(self, market: DataManager) -> None:
        self._market = market

    async def run(self, arguments: CompareArguments, ledger: FactLedger) -> ToolOutput:
        symbols = list(dict.fromkeys(arguments.symbols))
        fetched = await asyncio.gather(*(self._market.history(symbol, arguments.period) for symbol in symbols))
        histories = [without_splits(history) for history in fetched]
        ledger.introduce(*(history.name for history in histories))
        windows = {history.symbol: bars for history, bars in zip(histories, _common(histories), strict=True)}
        facts = [fact for history in histories for fact in _facts(history, windows[history.symbol], ledger)]
        if len(histories) == 2 and all(history.adjusted for history in histories):
            facts.append(_spread(histories, windows, ledger))
        return ToolOutput(tuple(facts), self._notes(histories, windows))

    def _notes(self, histories: Sequence[History], windows: dict[str, tuple[Bar, ...]]) -> dict[str, Any]:
        notes: dict[str, Any] = {
            "names": {history.symbol: history.name for history in histories},
            "windows": {symbol: [str(bars[0].date), str(bars[-1].date)] for symbol, bars in windows.items()},
            "conventions": "total_return, volatility and drawdown include dividends; annualised volatility",
        }
        sources = sorted({history.source for history in histories})
        if len(sources) > 1:
            notes["warning"] = f"the series come from different sources: {', '.join(sources)}"
        elif caveat := self._market.caveat(sources[0], histories[0].bars[-1].date):
            notes["warning"] = caveat
        return notes


def _common(histories: Sequence[History]) -> list[tuple[Bar, ...]]:
    start = max(history.bars[0].date for history in histories)
    end = min(history.bars[-1].date for history in histories)
    windows = [tuple(bar for bar in history.bars if start <= bar.date <= end) for history in histories]
    if any(len(window) < 2 for window in windows):
        names = ", ".join(history.symbol for history in histories)
        raise InsufficientData(f"{names} have no common window of at least two trading days.")
    return windows


def _facts(history: History, bars: tuple[Bar, ...], ledger: FactLedger) -> list[Fact]:
    origin = origin_of(history)
    window = statistics.return_between(bars[0], bars[-1])
    ledger.mention(window.start, window.end)
    facts = [
        ledger.add(origin, "common_window_price_return", window.price, "percent"),
        ledger.add(origin, "common_window_max_drawdown", statistics.max_drawdown(bars).percent, "percent"),
    ]
    if history.adjusted:
        facts.append(ledger.add(origin, "common_window_total_return", window.total, "percent"))
    if (volatility := statistics.annualised_volatility(bars)) is not None:
        facts.append(ledger.add(origin, "common_window_volatility", volatility, "percent"))
    return facts


def _spread(histories: Sequence[History], windows: dict[str, tuple[Bar, ...]], ledger: FactLedger) -> Fact:
    first, second = histories
    returns = [statistics.return_between(bars[0], bars[-1]).total for bars in windows.values()]
    return ledger.add(
        origin_of(first), f"total_return_minus_{second.symbol}", returns[0] - returns[1], "percentage_points"
    )
