"""Decides whether a sentence's numbers and dates are backed by the facts of the answer, or by the question itself."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime

from shared.agent.facts import Fact, FactLedger
from shared.agent.grounding.dates import take_dates
from shared.agent.grounding.numbers import Number, claimed_numbers, without_names

_INDICATOR_FACT = re.compile(r"(?:sma|ema|rsi|bbands|atr)(\d+)")
# Models write 200-day and 2013-03-01 with typographic hyphens.
_HYPHENS = str.maketrans({"\u2010": "-", "\u2011": "-"})
# Floating point must not decide: 0.5 of the last decimal is inside.
_SLACK = 1e-9


class GroundingChecker:
    """Checks sentences against a ledger that may still grow. A number matches a value within half a unit of its last
    shown decimal; a percentage only matches a percentage (or a ratio times 100), an amount only an amount. Signs are
    not compared: 'fell 2 %' states a change of -2 percent. Differences and ratios of facts do not count: whatever is
    derived has to come from a tool."""

    def __init__(self, ledger: FactLedger, question: str, today: date | None = None) -> None:
        self._ledger = ledger
        self._today = today or datetime.now(UTC).date()
        self._question = question
        remaining, stated = take_dates(question, frozenset())
        self._question_dates = frozenset(stated)
        self._question_numbers = tuple(claimed_numbers(remaining))

    def unverified(self, sentence: str) -> list[str]:
        """The numbers and dates of ``sentence`` that nothing backs, as written; empty when it may leave."""
        facts = self._ledger.facts
        unnamed = without_names(sentence.translate(_HYPHENS), self._ledger.names)
        remaining, dates = take_dates(unnamed, self._ledger.dates | {self._today})
        problems = [text for text in dates if text not in self._question_dates and text not in self._question]
        problems += [n.text for n in claimed_numbers(remaining, _periods(facts)) if not self._backed(n, facts)]
        return problems

    def _backed(self, number: Number, facts: Sequence[Fact]) -> bool:
        if any(_close(number, abs(value)) for fact in facts for value in _comparable(number, fact)):
            return True
        if number.kind != "price" and any(_close(number, value) for value in self._ledger.references):
            return True
        return any(_close(number, asked.value) for asked in self._question_numbers)


def _periods(facts: Sequence[Fact]) -> set[int]:
    return {int(match[1]) for fact in facts if (match := _INDICATOR_FACT.match(fact.name))}


def _comparable(number: Number, fact: Fact) -> tuple[float, ...]:
    """The readings of a fact that a number of this kind may state."""
    if number.kind == "plain":
        return (fact.value,)
    if number.kind == "percent":
        if fact.unit == "ratio":
            return (fact.value * 100,)
        return (fact.value,) if fact.kind == "percent" else ()
    return (fact.value,) if fact.kind == "price" else ()


def _close(number: Number, value: float) -> bool:
    return abs(number.value - value) <= number.tolerance + _SLACK * max(1.0, value)
