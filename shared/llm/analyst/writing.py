"""Writes the answer from the findings; every figure in it is one that a tool returned."""

from collections.abc import Iterator

from shared.llm.analyst import portrait
from shared.llm.analyst.comparison import comparison
from shared.llm.analyst.findings import Finding, Findings
from shared.llm.analyst.plan import Subjects
from shared.llm.analyst.question import Question
from shared.llm.analyst.wording import listing

GREETING = (
    "Hello! I look up listed companies and say what the market data show: price and change, trend, momentum, "
    "volatility, and comparisons. Ask, for example: How is AAPL doing compared to MSFT? What is the trend of IBM?"
)
SIGNATURE = "This summary was written by rules from the data above; no language model was used."
SIGNATURE_WITHOUT_DATA = "This reply was written by rules; no language model was used."
_NOTHING_FOUND = (
    "I could not find a company or symbol in your question. Which one do you mean? Name it or give its ticker, as in: "
    "How is AAPL doing?"
)
_NO_ADVICE = (
    "Whether to buy, sell or hold is a decision I do not make for you: it depends on your goals, your horizon and the "
    "risk you can bear. What the data say for and against:"
)


_LIMITED = "I could not look up everything for one question; ask about fewer companies at once for the rest."


def write(question: Question, subjects: Subjects, findings: Findings) -> Iterator[str]:
    """Paragraphs of the answer, in order."""
    return filter(None, _paragraphs(question, subjects, findings))


def _paragraphs(question: Question, subjects: Subjects, findings: Findings) -> Iterator[str]:
    found = (subjects.symbols, subjects.ambiguous, subjects.unknown, subjects.unreachable, subjects.skipped)
    if not any(found):
        yield GREETING if question.greeting else _NOTHING_FOUND
        return
    yield from _trouble(subjects, findings)
    answered = [symbol for symbol in subjects.symbols if _ok(findings.of("get_quote", symbol=symbol))]
    if answered:
        yield from _caveats(answered, findings)
        if "advice" in question.topics:
            yield _NO_ADVICE
        result = findings.of("compare", symbols=answered) if len(answered) > 1 else None
        if result is not None and not result.was_refused:
            yield " ".join(comparison(answered, result))
        for symbol in answered:
            yield " ".join(_about(symbol, question, findings, brief=len(answered) > 1))
        if "advice" in question.topics:
            yield from _balance(answered, findings)
        if "meaning" in question.topics:
            yield from _meanings(question)
    if subjects.skipped or findings.any_refused:
        yield _LIMITED
    yield SIGNATURE if answered else SIGNATURE_WITHOUT_DATA


def _trouble(subjects: Subjects, findings: Findings) -> Iterator[str]:
    for name, candidates in subjects.ambiguous.items():
        options = listing([f"{item['name']} ({item['symbol']})" for item in candidates])
        yield f"Which company do you mean by {name!r}? I found {options}."
    for name in _worth_mentioning(subjects.unknown, subjects):
        search = findings.of("search_symbol", query=name)
        coverage = f" ({search.notes['coverage']})" if search is not None and "coverage" in search.notes else ""
        yield f"I know no listed company called {name!r}{coverage}. Check the spelling, or give its ticker."
    for name in _worth_mentioning(subjects.unreachable, subjects):
        yield f"I could not look up {name!r}: the market data source cannot be reached right now, so this is an outage."
    for symbol in subjects.symbols:
        quote = findings.of("get_quote", symbol=symbol)
        if quote is not None and not quote.ok and not quote.was_refused:
            yield f"{symbol}: {quote.error_message}"


def _worth_mentioning(names: list[str], subjects: Subjects) -> list[str]:
    """Next to something that was found, a word in small letters was hardly meant as a name."""
    return [name for name in names if not subjects.symbols or not name.islower()]


def _caveats(symbols: list[str], findings: Findings) -> Iterator[str]:
    """How old the data are, before anything is said from them; once where it holds for all."""
    warnings: dict[str, list[str]] = {}
    for symbol in symbols:
        quote = findings.of("get_quote", symbol=symbol)
        if quote is not None and (warning := quote.notes.get("warning")):
            warnings.setdefault(warning, []).append(symbol)
    for warning, concerned in warnings.items():
        subject = "These figures are" if len(concerned) == len(symbols) else f"{listing(concerned)}:"
        yield f"Please note: {subject} {warning}." if subject.endswith(":") else f"{subject} {warning}."


def _ok(finding: Finding | None) -> bool:
    return finding is not None and finding.ok


def _about(symbol: str, question: Question, findings: Findings, *, brief: bool) -> Iterator[str]:
    quote = findings.of("get_quote", symbol=symbol)
    if quote is not None:
        yield from portrait.price(symbol, quote)
    if question.wants_only_price:
        return
    history, indicators = (
        findings.of("get_history_summary", symbol=symbol),
        findings.of("get_indicators", symbol=symbol),
    )
    if history is not None and history.ok:
        yield from portrait.performance(history)
    if indicators is not None and indicators.ok:
        yield from portrait.trend(indicators)
        yield from portrait.momentum(indicators)
    if history is not None and history.ok and not brief:
        yield from portrait.volatility(history)
    for part in (history, indicators):
        if part is not None and not part.ok and not part.was_refused:
            yield part.error_message


def _balance(symbols: list[str], findings: Findings) -> Iterator[str]:
    """Facts on both sides, without a verdict."""
    for symbol in symbols:
        good, bad = _sides(
            findings.of("get_history_summary", symbol=symbol), findings.of("get_indicators", symbol=symbol)
        )
        if good:
            yield f"In favour of {symbol}: {listing(good)}."
        if bad:
            yield f"Against {symbol}: {listing(bad)}."
    yield (
        "Risks that these figures do not show: the company's business and valuation, its sector, currencies, and that "
        "past prices say little about future ones."
    )


def _sides(history: Finding | None, indicators: Finding | None) -> tuple[list[str], list[str]]:
    good: list[str] = []
    bad: list[str] = []
    readings = [
        (history, "total_return_1y", 0.0, "a gain over the window", "a loss over the window"),
        (indicators, "close_vs_sma200", 0.0, "a price above its 200-day average", "a price below its 200-day average"),
        (indicators, "macd_histogram", 0.0, "improving momentum", "weakening momentum"),
    ]
    for finding, name, level, above, below in readings:
        value = finding.value(name) if finding is not None else None
        if value is not None:
            (good if value >= level else bad).append(above if value >= level else below)
    fall = history.value("max_drawdown") if history is not None else None
    if fall is not None and fall <= -20:
        bad.append("a deep fall on the way")
    return good, bad


def _meanings(question: Question) -> Iterator[str]:
    topics = question.topics & portrait.MEANINGS.keys() or portrait.MEANINGS.keys()
    yield " ".join(text for topic, text in portrait.MEANINGS.items() if topic in topics)
