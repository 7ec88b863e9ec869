"""A ledger with the facts that the grounding tests speak about."""

from datetime import UTC, date, datetime

from shared.agent.facts import FactLedger, Origin
from shared.agent.grounding.checker import GroundingChecker

ORIGIN = Origin("AAPL", "sample", datetime(2013, 3, 1, 21, tzinfo=UTC), stale=True)
TODAY = date(2026, 6, 12)
VALUES = {
    "last_price": (430.47, "USD"),
    "previous_close": (441.40, "USD"),
    "change": (-10.93, "USD"),
    "change_percent": (-2.4762, "percent"),
    "total_return_1y": (6.2226, "percent"),
    "rsi14": (32.7784, "points"),
    "sma200": (575.3454, "USD"),
    "revenue": (1_234_567_890.0, "USD"),
    "average_volume_20d": (20_123_456.0, "shares"),
    "payout": (0.1264, "ratio"),
}


def a_ledger() -> FactLedger:
    ledger = FactLedger()
    for name, (value, unit) in VALUES.items():
        ledger.add(ORIGIN, name, value, unit)
    ledger.refer(30, 50, 70)
    ledger.mention(date(2012, 3, 1), date(2012, 9, 19))
    return ledger


def a_checker(question: str = "How is Apple doing?", ledger: FactLedger | None = None) -> GroundingChecker:
    return GroundingChecker(a_ledger() if ledger is None else ledger, question, TODAY)
