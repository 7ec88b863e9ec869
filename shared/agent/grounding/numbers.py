"""Reads the numbers that a sentence claims, leaving out the ones that only name something."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

NumberKind = Literal["price", "percent", "plain"]

_SCALES = {
    "thousand": 1e3,
    "k": 1e3,
    "million": 1e6,
    "mn": 1e6,
    "m": 1e6,
    "billion": 1e9,
    "bn": 1e9,
    "b": 1e9,
    "trillion": 1e12,
    "tn": 1e12,
    "t": 1e12,
}
_PERIOD = r"(?:trading[ -])?(?:day|week|month|year|session|bar|hour|minute|quarter)s?"
# What names a thing: parameters of indicators, windows, indices, quarters, list numbers, the symbols' own digits.
_LABELS = re.compile(
    rf"""
    \b(?:RSI|SMA|EMA|MACD|ATR|ADX|BBANDS|Bollinger(?:\ bands?)?|stoch(?:astic)?)[\s-]?
        (?:\(\s*\d+(?:\s*,\s*\d+)*\s*\)|\d{{1,3}}\b(?!\.\d|\s?%))
    | \b\d+[\s-]{_PERIOD}\b
    | \b(?:S&P|FTSE|Nasdaq|Nasdaq-|Dow|Russell|Nikkei|CAC|DAX|STOXX|Euro\ Stoxx|TSX|SMI)[\s-]?\d{{2,4}}\b
    | \bQ[1-4]\b | \b[HF]Y?\s?\d{{2,4}}\b
    | ^\s*(?:[-*]\s*)?\d{{1,2}}[.)](?=\s)
    | \bForm\s\d+-?[KQ]\b
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_NUMBER = re.compile(
    r"""
    (?<![\w.])(?P<currency>[$€£¥₹]|\b(?:USD|EUR|GBP|JPY|CHF|CAD|AUD|HKD|INR|CNY|KRW|SEK|NOK|DKK|ZAR|ILS)\s?)?
    (?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)
    (?:\s?(?P<percent>%|percent\b|per\ cent\b|pct\b|percentage\ points?\b|pp\b)
      |\s?(?P<bps>bps?\b|basis\ points?\b)
      |\s?(?P<scale>thousand|million|billion|trillion|bn|mn|tn|[kmbt])\b)?
    (?:\s?(?P<code>USD|EUR|GBP|JPY|CHF|CAD|AUD|HKD|INR|CNY|KRW|SEK|NOK|DKK|ZAR|ILS|dollars?|euros?|pounds?|yen)\b)?
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Number:
    """A claimed number: ``value`` without its sign, and half a unit of its last shown decimal as ``tolerance``."""

    text: str
    value: float
    tolerance: float
    kind: NumberKind


def claimed_numbers(sentence: str, symbols: Iterable[str] = ()) -> Iterator[Number]:
    """The numbers of a sentence that has had its dates removed; ``symbols`` may contain digits of their own."""
    text = sentence
    for symbol in sorted(symbols, key=len, reverse=True):
        if any(character.isdigit() for character in symbol):
            text = re.sub(rf"(?<!\w){re.escape(symbol)}(?!\w)", " ", text)
    for match in _NUMBER.finditer(_LABELS.sub(" ", text)):
        yield _number(match)


def _number(match: re.Match[str]) -> Number:
    digits = match["digits"].replace(",", "")
    decimals = len(digits.partition(".")[2])
    scale = _SCALES.get((match["scale"] or "").lower(), 1.0)
    kind: NumberKind = "plain"
    if match["bps"]:
        kind, scale = "percent", 0.01
    elif match["percent"]:
        kind = "percent"
    elif match["currency"] or match["code"]:
        kind = "price"
    return Number(match[0].strip(), float(digits) * scale, 0.5 * 10**-decimals * scale, kind)
