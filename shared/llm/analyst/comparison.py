"""What the figures say about several instruments side by side."""

from collections.abc import Iterator

from shared.llm.analyst.findings import Finding
from shared.llm.analyst.wording import listing, percent, signed


def comparison(symbols: list[str], result: Finding) -> Iterator[str]:
    if not result.ok:
        yield f"A comparison was not possible: {result.error_message}"
        return
    returns = _ranked(symbols, result, "common_window_total_return", highest_first=True)
    if not returns:
        return
    window = result.notes.get("windows", {}).get(returns[0][0], ["", ""])
    ranking = listing([f"{symbol} {signed(value)}" for symbol, value in returns])
    yield f"Side by side, {window[0]} to {window[1]}, dividends included: {ranking}."
    spread = next(
        (
            result.value(f"total_return_minus_{other}", symbol)
            for symbol in symbols
            for other in symbols
            if result.value(f"total_return_minus_{other}", symbol) is not None
        ),
        None,
    )
    if spread is not None:
        yield f"{returns[0][0]} did better by {abs(spread):.2f} percentage points."
    yield from _risk(symbols, result)
    warning = result.notes.get("warning", "")
    if "different sources" in warning:
        yield f"Careful: {warning}."


def _risk(symbols: list[str], result: Finding) -> Iterator[str]:
    calm = _ranked(symbols, result, "common_window_volatility", highest_first=False)
    if len(calm) > 1:
        figures = listing([f"{symbol} {percent(value)}" for symbol, value in calm])
        yield f"The calmer one was {calm[0][0]}; volatility a year: {figures}."
    falls = _ranked(symbols, result, "common_window_max_drawdown", highest_first=True)
    if len(falls) > 1:
        yield f"Largest fall on the way: {listing([f'{symbol} {percent(value)}' for symbol, value in falls])}."


def _ranked(symbols: list[str], result: Finding, name: str, *, highest_first: bool) -> list[tuple[str, float]]:
    known = [(symbol, value) for symbol in symbols if (value := result.value(name, symbol)) is not None]
    return sorted(known, key=lambda item: item[1], reverse=highest_first)
