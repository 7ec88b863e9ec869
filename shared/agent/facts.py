"""The labelled values that an answer may state, each with its unit, source and moment."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

FactUnit = str
"""A currency code for prices and amounts, else one of ``percent``, ``percentage_points``, ``points``, ``ratio``,
``shares``, ``bars``."""

_NON_PRICE_UNITS = frozenset({"percent", "percentage_points", "points", "ratio", "shares", "bars"})


@dataclass(frozen=True, slots=True)
class Fact:
    """One value that a tool returned. ``id`` is unique within an answer; ``currency`` is set where ``unit`` is one."""

    id: str
    symbol: str
    name: str
    value: float
    unit: FactUnit
    as_of: datetime
    source: str
    stale: bool
    delayed_by_s: int | None = None

    @property
    def currency(self) -> str | None:
        return None if self.unit in _NON_PRICE_UNITS else self.unit

    @property
    def kind(self) -> Literal["price", "percent", "other"]:
        if self.unit in {"percent", "percentage_points"}:
            return "percent"
        return "other" if self.unit in _NON_PRICE_UNITS else "price"


@dataclass(frozen=True, slots=True)
class Origin:
    """What all facts of one tool result share."""

    symbol: str
    source: str
    as_of: datetime
    stale: bool
    delayed_by_s: int | None = None


class FactLedger:
    """The facts of one answer, in the order in which they were found; the same fact found twice keeps its first id."""

    def __init__(self) -> None:
        self._facts: dict[tuple[str, str, float, str, datetime, str], Fact] = {}
        self._references: set[float] = set()
        self._dates: set[date] = set()
        self._names: set[str] = set()

    def add(self, origin: Origin, name: str, value: float, unit: FactUnit, *, as_of: datetime | None = None) -> Fact:
        """Record a value, rounded to four decimals: no source here is more precise than that."""
        moment = as_of or origin.as_of
        return self._keep(
            Fact(
                "", origin.symbol, name, round(value, 4), unit, moment, origin.source, origin.stale, origin.delayed_by_s
            )
        )

    def absorb(self, found: "FactLedger") -> dict[str, Fact]:
        """Take over what one look-up has found; the facts of this ledger by the other's ids."""
        self._references |= found._references
        self._dates |= found._dates
        self._names |= found._names
        return {fact.id: self._keep(fact) for fact in found.facts}

    def _keep(self, fact: Fact) -> Fact:
        key = (fact.symbol, fact.name, fact.value, fact.unit, fact.as_of, fact.source)
        if key not in self._facts:
            self._facts[key] = replace(fact, id=f"f{len(self._facts) + 1}")
            self._dates.add(fact.as_of.date())
            self._names.add(fact.symbol)
        return self._facts[key]

    def refer(self, *values: float) -> None:
        """Allow numbers that are conventions and not data, such as the 30 and 70 of an RSI."""
        self._references.update(values)

    def mention(self, *days: date) -> None:
        """Allow dates that a tool stated beside its facts, such as the first day of a window."""
        self._dates.update(days)

    def introduce(self, *names: str) -> None:
        """Allow the digits in the names and symbols of instruments that a tool spoke of: '3M Company', '0700.HK'."""
        self._names.update(names)

    @property
    def facts(self) -> tuple[Fact, ...]:
        return tuple(self._facts.values())

    @property
    def references(self) -> frozenset[float]:
        return frozenset(self._references)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._names)

    @property
    def dates(self) -> frozenset[date]:
        return frozenset(self._dates)
