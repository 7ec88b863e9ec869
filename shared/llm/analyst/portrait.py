"""What one instrument's figures say: price, performance, trend, momentum, volatility, each in a sentence or two."""

from collections.abc import Iterator

from shared.llm.analyst.findings import Finding
from shared.llm.analyst.wording import above_or_below, amount, moment, percent, signed, up_or_down


def price(symbol: str, quote: Finding) -> Iterator[str]:
    fact, notes = quote.fact("last_price"), quote.notes
    if not fact:
        return
    is_open = notes.get("market_state") == "open"
    when = moment(fact["as_of"], with_time=is_open)
    verb = (
        f"trades at {amount(fact['value'], fact['unit'])} as of"
        if is_open
        else (f"last closed at {amount(fact['value'], fact['unit'])} on")
    )
    yield f"{notes.get('name', symbol)} ({symbol}) {verb} {when}{_change(quote, fact['unit'])}."


def _change(quote: Finding, unit: str) -> str:
    change, relative = quote.value("change"), quote.value("change_percent")
    previous = quote.value("previous_close")
    if change is None or relative is None or previous is None:
        return ""
    if change == 0:
        return f", unchanged from the previous close of {amount(previous, unit)}"
    size = f"{amount(abs(change), unit)} ({signed(relative)})"
    return f", {up_or_down(change)} {size} from the previous close of {amount(previous, unit)}"


def performance(history: Finding) -> Iterator[str]:
    total, plain = history.value("total_return_1y"), history.value("price_return_1y")
    window = history.notes.get("window")
    if total is None or plain is None or not window:
        return
    dividends = "" if abs(total - plain) < 0.005 else f", {signed(total)} with dividends"
    yield f"From {window[0]} to {window[1]} the price is {up_or_down(plain)} {percent(plain)}{dividends}."
    below, highest = history.value("below_highest_close"), history.fact("highest_close")
    if below is not None and highest:
        top = amount(highest["value"], highest["unit"])
        on = moment(highest["as_of"], with_time=False)
        yield (
            f"It stands at the window's highest close, {top}."
            if below < 0.005
            else f"It is {percent(below)} below the window's highest close of {top} on {on}."
        )


def trend(indicators: Finding) -> Iterator[str]:
    parts, signs = [], []
    for name, label in (("sma50", "50-day"), ("sma200", "200-day")):
        fact, distance = indicators.fact(name), indicators.value(f"close_vs_{name}")
        if fact and distance is not None:
            level = amount(fact["value"], fact["unit"])
            parts.append(f"{percent(distance)} {above_or_below(distance)} its {label} average of {level}")
            signs.append(distance >= 0)
    if parts:
        yield f"Trend: the close is {' and '.join(parts)}{_trend_verdict(signs)}."
    for name in indicators.notes.get("insufficient_data", {}):
        label = {"sma50": "50-day average", "sma200": "200-day average"}.get(name, name)
        yield f"There are too few trading days for the {label}."


def _trend_verdict(above: list[bool]) -> str:
    if len(above) == 1:
        return ""
    if all(above):
        return ", which is what an uptrend looks like"
    if not any(above):
        return ", which is what a downtrend looks like"
    return ", so the shorter and the longer trend disagree"


def momentum(indicators: Finding) -> Iterator[str]:
    rsi = indicators.value("rsi14")
    if rsi is not None:
        yield f"Momentum: the RSI(14) is {rsi:.1f}, {_rsi_verdict(rsi)}."
    line, signal = indicators.value("macd"), indicators.value("macd_signal")
    if line is not None and signal is not None:
        verdict = "momentum is improving" if line >= signal else "momentum is weakening"
        side = above_or_below(line - signal)
        yield f"The MACD line ({line:.2f}) is {side} its signal line ({signal:.2f}): {verdict}."


def _rsi_verdict(rsi: float) -> str:
    if rsi >= 70:
        return "overbought by convention (above 70)"
    if rsi <= 30:
        return "oversold by convention (below 30)"
    return f"neutral, on the {'stronger' if rsi >= 50 else 'weaker'} side (30 to 70 counts as neutral)"


def volatility(history: Finding) -> Iterator[str]:
    spread, fall = history.value("annualised_volatility"), history.value("max_drawdown")
    if spread is None or fall is None:
        return
    window = history.notes.get("max_drawdown_window", ["", ""])
    yield (
        f"Volatility: {percent(spread)} a year; the largest fall in the window was {percent(fall)}, "
        f"from {window[0]} to {window[1]}."
    )


MEANINGS = {
    "trend": (
        "A moving average is the mean close of its window; a price above it has been rising against its own past."
    ),
    "momentum": (
        "The RSI weighs recent gains against recent losses; below 30 is called oversold, above 70 overbought. The MACD "
        "is the distance of a fast from a slow average; above its signal line, momentum is picking up. Both describe "
        "the past and predict nothing by themselves."
    ),
    "volatility": (
        "Annualised volatility is the usual size of the yearly swing, up or down; a drawdown is the fall from a peak "
        "to the lowest point after it."
    ),
}
