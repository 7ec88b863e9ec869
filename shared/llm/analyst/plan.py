"""Decides what the analyst has to look up next, from the question and from what it knows so far."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.llm.analyst.findings import Finding, Findings
from shared.llm.analyst.question import Question

MAX_SYMBOLS = 5
# Their indicators would take more look-ups than one question may have.
_MANY_SYMBOLS = 4
_FAILURES = frozenset({"market_data_unavailable", "tool_timeout", "internal_error"})
Call = tuple[str, dict[str, object]]


@dataclass(slots=True)
class Subjects:
    """What the mentions of a question turned out to be; ``skipped`` are names that a limit kept from being searched."""

    symbols: list[str] = field(default_factory=list)
    ambiguous: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    pending: list[Call] = field(default_factory=list)

    def add(self, symbol: str) -> None:
        if symbol not in self.symbols and len(self.symbols) < MAX_SYMBOLS:
            self.symbols.append(symbol)


def identify(question: Question, findings: Findings) -> Subjects:
    """Symbols from tickers and resolved names; ``pending`` holds the searches that are still to be made."""
    subjects = Subjects()
    for ticker in question.tickers:
        _identify_ticker(ticker, findings, subjects)
    for name in question.names:
        _identify_name(name, findings, subjects)
    return subjects


def _identify_ticker(ticker: str, findings: Findings, subjects: Subjects) -> None:
    quote = findings.of("get_quote", symbol=ticker)
    # A long word in capitals may be a name (TESLA); a short one is a symbol and nothing else (HP is not HPQ).
    if quote is not None and quote.error_code == "symbol_not_found" and len(ticker) > 4 and ticker.isalpha():
        _identify_name(ticker, findings, subjects)
    else:
        subjects.add(ticker)


def _identify_name(name: str, findings: Findings, subjects: Subjects) -> None:
    search = findings.of("search_symbol", query=name)
    if search is None:
        subjects.pending.append(("search_symbol", {"query": name}))
    elif search.candidates:
        _take(name, search, subjects)
    elif search.error_code == "tool_limit":
        subjects.skipped.append(name)
    elif search.error_code in _FAILURES:
        subjects.unreachable.append(name)
    elif len(words := name.split()) > 1:
        # "apple microsoft" is no company, but may be two.
        for word in words[:3]:
            _identify_name(word, findings, subjects)
    else:
        subjects.unknown.append(name)


def _take(name: str, search: Finding, subjects: Subjects) -> None:
    if search.resolved:
        subjects.add(str(search.candidates[0]["symbol"]))
    else:
        subjects.ambiguous[name] = search.candidates


def lookups(question: Question, subjects: Subjects, findings: Findings) -> list[Call]:
    """The calls whose results are still missing; empty when the answer can be written."""
    if subjects.pending:
        return subjects.pending
    if subjects.ambiguous and not subjects.symbols:
        return []
    return [call for call in _wanted(question, subjects, findings) if findings.of(call[0], **call[1]) is None]


def _wanted(question: Question, subjects: Subjects, findings: Findings) -> Iterator[Call]:
    # Quotes first: whatever has none is not asked for more.
    quotes = {symbol: findings.of("get_quote", symbol=symbol) for symbol in subjects.symbols}
    for symbol in subjects.symbols:
        yield "get_quote", {"symbol": symbol}
    if question.wants_only_price or any(quote is None for quote in quotes.values()):
        return
    listed = [symbol for symbol, quote in quotes.items() if quote is not None and quote.ok]
    if len(listed) > 1:
        yield "compare", {"symbols": listed}
    for symbol in listed:
        yield "get_history_summary", {"symbol": symbol}
        if len(listed) < _MANY_SYMBOLS:
            yield "get_indicators", {"symbol": symbol}
