"""Reads the dates that a sentence states and takes them out, so that their digits are not taken for figures."""

import re
from collections.abc import Set as AbstractSet
from datetime import date

from shared.agent.grounding.numbers import CURRENCY_CODES

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"),
            ("february", "feb"),
            ("march", "mar"),
            ("april", "apr"),
            ("may",),
            ("june", "jun"),
            ("july", "jul"),
            ("august", "aug"),
            ("september", "sep", "sept"),
            ("october", "oct"),
            ("november", "nov"),
            ("december", "dec"),
        ),
        start=1,
    )
    for name in names
}
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\.?"
# Without a year beside it a small 'may' is the verb, as in "above 70 may suggest".
_CLEAR_MONTH = rf"(?!(?-i:may)\b){_MONTH}"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])"
_MONEY = "|".join(CURRENCY_CODES)
_UNIT = rf"%|percent|{_MONEY}|dollars|euros|pounds|yen|thousand|[mbtr]+illion|shares|points|bps|basis"
_NOT_MONEY = "".join(rf"(?<!{code}\s)" for code in CURRENCY_CODES)
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?P<year>(?:19|20)\d\d)-(?P<number>\d\d)-(?P<day>\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?",
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH},?\s(?P<year>(?:19|20)\d\d)\b",
        rf"\b{_MONTH}\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s(?P<year>(?:19|20)\d\d)\b",
        rf"\b{_MONTH},?\s(?P<year>(?:19|20)\d\d)\b",
        rf"\b{_CLEAR_MONTH}\s{_DAY}(?:st|nd|rd|th)?\b(?!\.\d|\s?%)",
        rf"\b{_DAY}(?:st|nd|rd|th)?\s{_CLEAR_MONTH}\b",
        rf"(?<![\w.,$€£¥₹-])(?<![$€£¥₹]\s){_NOT_MONEY}(?P<year>(?:19|20)\d\d)\b(?![\d,.]*\d|\s?(?:{_UNIT}))",
    )
)
_CLOCK = re.compile(
    r"\b\d{1,2}:\d\d(?::\d\d)?\s?(?:[ap]\.?m\.?)?(?:\s?(?:UTC|GMT|E[SD]?T|Z)\b)?|\b\d{1,2}\s?[ap]\.?m\b", re.IGNORECASE
)


def take_dates(sentence: str, known: AbstractSet[date]) -> tuple[str, list[str]]:
    """The sentence without its dates and times, and the stated dates that are not among ``known``.

    A date may be stated in part: a month and year, or a year alone, is known when some known date lies in it.
    """
    unknown: list[str] = []

    def check(match: re.Match[str]) -> str:
        if not any(_fits(match.groupdict(), day) for day in known):
            unknown.append(match[0])
        return " "

    text = sentence
    for pattern in _PATTERNS:
        text = pattern.sub(check, text)
    return _CLOCK.sub(" ", text), unknown


def _fits(stated: dict[str, str | None], day: date) -> bool:
    month = stated.get("number") or (_MONTHS[name.lower()] if (name := stated.get("month")) else None)
    return (
        stated.get("year") in {None, str(day.year)}
        and (month is None or int(month) == day.month)
        and ((number := stated.get("day")) is None or int(number) == day.day)
    )
