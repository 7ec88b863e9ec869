"""Reads a question by rules: which symbols and names it mentions, and what it wants to know about them."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from shared.errors import InvalidRequest
from shared.llm.analyst.vocabulary import ACRONYMS, SEPARATORS, STOP_WORDS, TOPICS
from shared.market.symbols import parse_symbol

_TOKEN = re.compile(r"\$?\^?[^\W_][\w&'\u2019.\-=]*|[,;/&]")
_TICKER = re.compile(r"\^?[A-Z][A-Z0-9]{0,5}(?:[.\-=][A-Z0-9]{1,4})?|\d{3,6}\.[A-Z]{1,3}")
_GREETING = re.compile(
    r"\s*(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|thanks?(?: you)?|who are you|what can you do|help)\b",
    re.IGNORECASE,
)
_HINTS = re.compile(r"\(Symbols in view: ([^)]*)\)\s*$")
# The E of P/E is not Eni's symbol.
_RATIO = re.compile(r"\b(?:P/E|P/B|P/S|P/FCF|EV/EBITDA|EV/EBIT|EV/S|D/E)\b", re.IGNORECASE)
_MAX_MENTIONS = 5


@dataclass(frozen=True, slots=True)
class Question:
    """``tickers`` were written as symbols, ``names`` as words; both in the order of the text, without repetitions."""

    tickers: tuple[str, ...]
    names: tuple[str, ...]
    topics: frozenset[str]
    greeting: bool

    @property
    def wants_only_price(self) -> bool:
        return self.topics <= {"price"} and "price" in self.topics


def read_question(text: str) -> Question:
    hints = _HINTS.search(text)
    body = text[: hints.start()] if hints else text
    tokens = [_stripped(token) for token in _TOKEN.findall(_RATIO.sub(",", body))]
    # In a text all in capitals no word is a ticker by its looks; the search finds symbols by their letters as well.
    shouted = body.isupper() and any(token.casefold() in STOP_WORDS for token in tokens)
    tickers = [] if shouted else [token.lstrip("$").upper() for token in tokens if _is_ticker(token)]
    names = _names(["," if not shouted and _is_ticker(token) else token for token in tokens])
    words = {token.casefold() for token in tokens}
    if hints and not tickers and not names:
        tickers = [symbol.strip() for symbol in hints[1].split(",")]
    return Question(
        tickers=tuple(dict.fromkeys(_symbols(tickers)))[:_MAX_MENTIONS],
        names=tuple(dict.fromkeys(names))[:_MAX_MENTIONS],
        topics=frozenset(topic for topic, triggers in TOPICS.items() if words & triggers),
        greeting=bool(_GREETING.match(body)),
    )


def _symbols(tickers: list[str]) -> Iterator[str]:
    """In the form in which tools name them: BRK.B is BRK-B."""
    for ticker in tickers:
        with suppress(InvalidRequest):
            yield parse_symbol(ticker)


def _stripped(token: str) -> str:
    token = token.rstrip(".'\u2019-=") or token
    return re.sub(r"['\u2019]s$", "", token)


def _is_ticker(token: str) -> bool:
    if token.startswith("$"):
        return token[1:2].isalpha()
    return bool(_TICKER.fullmatch(token)) and token not in ACRONYMS


def _names(tokens: list[str]) -> list[str]:
    names: list[str] = []
    phrase: list[str] = []
    for token in [*tokens, ","]:
        word = token.casefold()
        if (
            word in SEPARATORS
            or word in STOP_WORDS
            or token in ACRONYMS
            or word.replace(".", "").replace("%", "").isdigit()
        ):
            if phrase := [part for part in phrase if part != "&" or len(phrase) > 1]:
                names.append(" ".join(phrase).strip("& "))
            phrase = []
        elif word != "&" or phrase:
            phrase.append(token)
    return [name for name in names if name]
