"""get_history_summary: what a price history amounts to, in figures that are computed here and not by a model."""

from datetime import UTC, datetime, time
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field

from shared.agent.facts import Fact, FactLedger, Origin
from shared.agent.tools.arguments import Period, Symbol
from shared.agent.tools.base import ToolArguments, ToolOutput
from shared.market import statistics
from shared.market.data_manager import DataManager
from shared.market.splits import without_splits
from shared.market.types import Bar, History

_SHORTER_WINDOWS = {"1m": 1, "3m": 3, "6m": 6}


class HistorySummaryArguments(ToolArguments):
    symbol: Symbol
    period: Period = Field(default="1y", description="How far back from the newest bar.")


class HistorySummaryTool:
    name: ClassVar[str] = "get_history_summary"
    description: ClassVar[str] = (
        "Returns, highest and lowest close, volatility and largest drawdown of one instrument over a period that ends "
        "at its newest bar. price_return is without dividends, total_return with them."
    )
    arguments = HistorySummaryArguments

    def __init__(self, market: DataManager) -> None:
        self._market = market

    async def run(self, arguments: HistorySummaryArguments, ledger: FactLedger) -> ToolOutput:
        history = without_splits(await self._market.history(arguments.symbol, arguments.period))
        facts = summarise(history, arguments.period, ledger)
        caveat = self._market.caveat(history.source, history.bars[-1].date)
        return ToolOutput(facts, _notes(history, arguments.period, caveat))


def origin_of(history: History) -> Origin:
    return Origin(history.symbol, history.source, history.as_of, history.stale)


def closing_moment(history: History, bar: Bar) -> datetime:
    """When the bar's close was made: the history's own moment for the newest bar, else the end of its trading day."""
    if bar is history.bars[-1]:
        return history.as_of
    zone = ZoneInfo(history.timezone) if history.timezone else UTC
    return datetime.combine(bar.date, time(16), zone).astimezone(UTC)


def summarise(history: History, period: str, ledger: FactLedger) -> tuple[Fact, ...]:
    bars, origin = history.bars, origin_of(history)
    first, last = bars[0], bars[-1]
    highest, lowest = max(bars, key=lambda bar: bar.close), min(bars, key=lambda bar: bar.close)
    window = statistics.return_between(first, last)
    drawdown = statistics.max_drawdown(bars)
    ledger.introduce(history.name)
    ledger.mention(drawdown.peak, drawdown.trough, first.date, last.date)
    facts = [
        ledger.add(origin, "last_close", last.close, history.currency),
        ledger.add(origin, "first_close", first.close, history.currency, as_of=closing_moment(history, first)),
        ledger.add(origin, f"price_return_{period}", window.price, "percent"),
        ledger.add(origin, "highest_close", highest.close, history.currency, as_of=closing_moment(history, highest)),
        ledger.add(origin, "lowest_close", lowest.close, history.currency, as_of=closing_moment(history, lowest)),
        ledger.add(origin, "below_highest_close", 100 * (1 - last.close / highest.close), "percent"),
        ledger.add(origin, "above_lowest_close", 100 * (last.close / lowest.close - 1), "percent"),
        ledger.add(origin, "max_drawdown", drawdown.percent, "percent"),
        ledger.add(origin, "bars", len(bars), "bars"),
    ]
    if history.adjusted:
        facts.insert(3, ledger.add(origin, f"total_return_{period}", window.total, "percent"))
    for name, months in _SHORTER_WINDOWS.items():
        if (shorter := statistics.return_over_months(bars, months)) and shorter.start > first.date:
            facts.append(ledger.add(origin, f"price_return_{name}", shorter.price, "percent"))
            ledger.mention(shorter.start)
    if (volatility := statistics.annualised_volatility(bars)) is not None:
        facts.append(ledger.add(origin, "annualised_volatility", volatility, "percent"))
    if last.volume:
        facts.append(ledger.add(origin, "average_volume_20d", statistics.mean_volume(bars, 20), "shares"))
    return tuple(facts)


def _notes(history: History, period: str, caveat: str | None) -> dict[str, Any]:
    drawdown = statistics.max_drawdown(history.bars)
    notes: dict[str, Any] = {
        "name": history.name,
        "period": period,
        "window": [str(history.bars[0].date), str(history.bars[-1].date)],
        "max_drawdown_window": [str(drawdown.peak), str(drawdown.trough)],
        "conventions": "closes as traded; total_return, volatility and drawdown on closes adjusted for dividends"
        if history.adjusted
        else "closes as traded; this source has no closes adjusted for dividends, so there is no total return",
    }
    if history.splits:
        notes["splits"] = [f"{split.ratio:g} for 1 on {split.date}" for split in history.splits]
    if caveat:
        notes["warning"] = caveat
    return notes
