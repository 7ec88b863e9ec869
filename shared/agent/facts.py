"""The labelled values that an answer may state, each with its unit, source and moment."""

from dataclasses import dataclass
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

    def add(self, origin: Origin, name: str, value: float, unit: FactUnit, *, as_of: datetime | None = None) -> Fact:
        """Record a value, rounded to four decimals: no source here is more precise than that."""
        moment = as_of or origin.as_of
        rounded = round(value, 4)
        key = (origin.symbol, name, rounded, unit, moment, origin.source)
        if key not in self._facts:
            fact_id = f"f{len(self._facts) + 1}"
            self._facts[key] = Fact(
                fact_id, origin.symbol, name, rounded, unit, moment, origin.source, origin.stale, origin.delayed_by_s
            )
            self._dates.add(moment.date())
        return self._facts[key]

    def refer(self, *values: float) -> None:
        """Allow numbers that are conventions and not data, such as the 30 and 70 of an RSI."""
        self._references.update(values)

    def mention(self, *days: date) -> None:
        """Allow dates that a tool stated beside its facts, such as the first day of a window."""
        self._dates.update(days)

    @property
    def facts(self) -> tuple[Fact, ...]:
        return tuple(self._facts.values())

    @property
    def references(self) -> frozenset[float]:
        return frozenset(self._references)

    @property
    def dates(self) -> frozenset[date]:
        return frozenset(self._dates)
