"""Reads the numbers that a sentence claims, leaving out the ones that only name something."""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

NumberKind = Literal["price", "percent", "plain"]
CURRENCY_CODES = (
    "USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "INR", "CNY", "KRW", "THB", "IDR",
    "MYR", "PHP", "SEK", "NOK", "DKK", "ISK", "PLN", "CZK", "HUF", "TRY", "ZAR", "ILS", "SAR", "AED", "BRL", "MXN"
)  # fmt: skip

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
_PERIOD = r"(?:trading[ -])?(?:day|week|month|year|session|bar|hour|minute|quarter|period)s?"
# What names a thing: windows, indices, quarters, list numbers. An index level is none of these: "the Dow at 38000".
_LABELS = re.compile(
    rf"""
    \b\d+[\s-]{_PERIOD}\b
    | \b(?:S&P\s?(?:[1456]00|1500)|FTSE\s?(?:100|[23]50)|Nasdaq[\s-]?100|Dow(?:\sJones)?\s30|Russell\s[123]000
        |Nikkei\s225|CAC\s?40|DAX\s?[34]0|STOXX\s(?:50|600)|TSX\s60|SMI\s20|ASX\s200|CSI\s300)\b(?![.,]?\d|\s?%)
    | \b[QH][1-4]\b | \bFY\s?(?:20)?\d\d\b(?![.,]?\d|\s?%)
    | ^\s*(?:[-*]\s*)?\d{{1,2}}[.)](?=\s)
    | \bForm\s\d+-?[KQ]\b
    | \b\d{{1,3}}[\s-]?(?:[DW]?MA|[ES]MA)\b | \b[1-3]\sstandard\sdeviations?\b
    | \b(?:1|3|5|10)Y\b | \b(?:1|3|6|9|12)M(?=:|\s(?:price|total|return|performance|change|high|low)\b)
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
# RSI(14) names an indicator, RSI(72) states its value: only the usual periods and the computed ones are names.
_INDICATOR = re.compile(
    r"\b(?:RSI|SMA|EMA|MACD|ATR|ADX|BBANDS|Bollinger(?: bands?)?|stoch(?:astic)?)[\s-]?"
    r"(?:\(\s*(?P<several>\d+(?:\s*,\s*\d+)*)\s*\)|(?P<one>\d{1,3})\b(?!\.\d|\s?%))",
    re.IGNORECASE,
)
_USUAL_PERIODS = frozenset({2, 3, 5, 7, 9, 10, 12, 14, 20, 21, 26, 50, 100, 150, 200, 250})
_CODE = "|".join(CURRENCY_CODES)
_NUMBER = re.compile(
    rf"""
    (?<![^\W_])(?<!\.)(?<![^\W_]_)(?P<currency>(?:(?:US|HK|AU|CA|NZ|[ACSR])?\$|[€£¥₹]|\b(?:{_CODE}))\s?)?
    (?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)
    (?:\s?(?P<percent>%|percent\b|per\ cent\b|pct\b|percentage\ points?\b|pp\b)
      |\s?(?P<bps>bps?\b|basis\ points?\b)
      |\s?(?P<scale>thousand|million|billion|trillion|bn|mn|tn|[kmbt])\b)?
    (?:\s?(?P<code>{_CODE}|dollars?|euros?|pounds?|yen)\b)?
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


def claimed_numbers(sentence: str, periods: AbstractSet[int] = frozenset()) -> Iterator[Number]:
    """The numbers of a sentence without dates and names; ``periods`` are those of indicators that were computed."""

    def without_period(match: re.Match[str]) -> str:
        stated = {int(digits) for digits in re.findall(r"\d+", match["several"] or match["one"])}
        return " " if stated <= _USUAL_PERIODS | periods else match[0]

    for match in _NUMBER.finditer(_LABELS.sub(" ", _INDICATOR.sub(without_period, sentence))):
        yield _number(match)


def without_names(text: str, names: Iterable[str]) -> str:
    """The text without those of the ``names`` that have digits of their own, as 0700.HK and 3M Company do."""
    for name in sorted(_with_digits(names), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", text, flags=re.IGNORECASE)
    return text


def _with_digits(names: Iterable[str]) -> set[str]:
    found = set()
    for name in names:
        # The word alone as well: '3M Company' is also called 3M. A name of digits alone would free a figure.
        found |= {part for part in (name, *name.split()) if re.search(r"\d", part) and re.search(r"[^\W\d]", part)}
    return found


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
