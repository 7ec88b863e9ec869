"""What Alpha Vantage says instead of data: a refusal is a sentence with HTTP status 200, told apart by its words."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from shared.market.provider import (
    MarketDataError,
    NotOffered,
    ProviderMalformed,
    ProviderMisconfigured,
    ProviderRateLimited,
    UnknownSymbol,
)
from shared.market.providers.alpha_vantage_symbols import SOURCE

Notice = Literal[
    "malformed",
    "daily_limit",
    "burst_limit",
    "premium",
    "bad_key",
    "bad_call",
    "no_news",
    "not_followed",
    "unknown_notice",
]
NEWS: Final = "NEWS_SENTIMENT"
BURST_PAUSE_S: Final = 1.1
_MINUTE_S = 60.0
_NOTICE_KEYS = ("Note", "Information", "Error Message")

_REACTIONS: Final[dict[Notice, tuple[type[MarketDataError], str]]] = {
    "malformed": (ProviderMalformed, "the answer is no JSON object"),
    "premium": (ProviderMisconfigured, "the plan of the key does not include this function"),
    "bad_key": (ProviderMisconfigured, "the key is refused"),
    "bad_call": (UnknownSymbol, "the symbol is not listed"),
    "not_followed": (NotOffered, "no news of this symbol"),
    "unknown_notice": (ProviderMalformed, "a notice instead of data"),
}


def notice_in(function: str, body: Any) -> tuple[Notice, str] | None:
    """The class of a refusal and its words in lower case, or None when ``body`` is data (or the empty object).

    The order decides: the burst text mentions the daily limit and premium plans, and two texts mention the key.
    """
    if not isinstance(body, Mapping):
        return "malformed", ""
    words = " ".join(str(body[key]) for key in _NOTICE_KEYS if key in body).lower()
    return (_classified(function, words), words) if any(key in body for key in _NOTICE_KEYS) else None


def _classified(function: str, words: str) -> Notice:
    news = function == NEWS
    tests: tuple[tuple[Notice, bool], ...] = (
        ("daily_limit", "requests per day" in words and "1 request per second" not in words),
        ("burst_limit", any(part in words for part in ("per second", "per minute", "burst"))),
        ("premium", "premium" in words),
        ("bad_key", "apikey" in words and ("invalid" in words or "missing" in words)),
        ("bad_call", "invalid api call" in words),
        ("no_news", news and "no articles found" in words),
        ("not_followed", news and "invalid inputs" in words),
    )
    return next((notice for notice, holds in tests if holds), "unknown_notice")


def refusal(notice: Notice, words: str, now: datetime) -> MarketDataError:
    """The reaction to a notice; what it says, which may include the key, stays behind."""
    match notice:
        case "daily_limit":
            return ProviderRateLimited(SOURCE, "the daily allowance is used up", retry_after=_until_midnight(now))
        case "burst_limit":
            pause = _MINUTE_S if "per second" not in words and "per minute" in words else BURST_PAUSE_S
            return ProviderRateLimited(SOURCE, "too many requests at once", retry_after=pause)
        case _:
            kind, detail = _REACTIONS[notice]
            return kind(SOURCE, detail)


def _until_midnight(now: datetime) -> float:
    # The hour of the reset is not documented; midnight UTC is the day's end that both sides agree on.
    midnight = (now.astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - now).total_seconds()
