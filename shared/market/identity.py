"""Turns a company's name into one symbol, or into the question which one is meant; never a guess."""

import re
from dataclasses import dataclass

from shared.market.types import Instrument

# fmt: off
_LEGAL_FORMS = frozenset({
    "a", "ab", "adr", "ag", "asa", "b", "class", "co", "com", "company", "corp", "corporation", "group", "holding",
    "holdings", "inc", "incorporated", "kgaa", "limited", "ltd", "nv", "oyj", "plc", "sa", "se", "spa", "the",
})
# fmt: on
# How far the best-known exact match must lead before the others are taken for namesakes nobody means.
_LEAD = 1.25


@dataclass(frozen=True, slots=True)
class Resolved:
    instrument: Instrument


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several companies fit; ``candidates`` holds one listing of each, best first."""

    candidates: tuple[Instrument, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """No source lists anything like it."""


Resolution = Resolved | Ambiguous | Unknown


def core_name(name: str) -> str:
    """A company's name without case, punctuation and legal form: 'Apple Inc.' and 'apple' are both 'apple'."""
    words = re.findall(r"[\w&]+", name.casefold().replace(".", ""))
    kept = [word for word in words if word not in _LEGAL_FORMS]
    return " ".join(kept or words)


def resolve(query: str, candidates: tuple[Instrument, ...]) -> Resolution:
    """Which of a search's ``candidates`` the ``query`` means.

    An exact symbol wins, unless it is written like a name that only others bear ('Ford' is not FORD). Otherwise a
    name resolves when exactly one company fits it, or when one bears exactly that name and is clearly the best known.
    Several listings of one company count once, its home listing first.
    """
    if not candidates:
        return Unknown()
    wanted = core_name(query)
    companies = _by_company([item for item in candidates if f"{core_name(item.name)} ".startswith(f"{wanted} ")])
    listed = next((item for item in candidates if item.symbol == query.strip().upper()), None)
    if listed:
        return _by_symbol(listed, query, companies)
    if len(companies) == 1:
        return Resolved(companies[0])
    if not companies:
        return Ambiguous(tuple(_by_company(list(candidates))[:5]))
    exact = [item for item in companies if core_name(item.name) == wanted]
    if len(exact) == 1 and _leads(exact[0], companies):
        return Resolved(exact[0])
    return Ambiguous(tuple(companies[:5]))


def _by_symbol(listed: Instrument, query: str, companies: list[Instrument]) -> Resolution:
    bears_the_name = any(core_name(item.name) == core_name(listed.name) for item in companies)
    if query.isupper() or bears_the_name or not companies:
        return Resolved(listed)
    return Ambiguous((listed, *companies)[:5])


def _by_company(candidates: list[Instrument]) -> list[Instrument]:
    companies: dict[str, Instrument] = {}
    for item in candidates:
        name = core_name(item.name)
        known = companies.get(name)
        # A symbol without a suffix is the home listing as far as US data sources are concerned.
        if known is None or ("." in known.symbol and "." not in item.symbol):
            companies[name] = item
    return list(companies.values())


def _leads(best: Instrument, companies: list[Instrument]) -> bool:
    others = [item.prominence for item in companies if item is not best]
    if best.prominence is None or any(other is None for other in others):
        return False
    return all(best.prominence >= _LEAD * other for other in others if other is not None)
