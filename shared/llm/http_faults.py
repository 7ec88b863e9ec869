"""HTTP refusals as kinds of failure: from the status and the error's code, never from its message."""

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from shared.llm.errors import ErrorKind
from shared.llm.stream_faults import StreamFault
from shared.llm.wire import mapping, text

# The only statuses whose kind depends on the body; the others are not worth reading.
STATUSES_WITH_CODES = frozenset({400, 413, 422, 429})

_BY_STATUS: dict[int, ErrorKind] = {
    401: "auth",
    402: "quota",
    403: "auth",
    404: "model_not_found",
    405: "model_not_found",
    408: "server_error",
    409: "server_error",
    413: "too_large",
    429: "rate_limited",
    501: "model_not_found",
}
_BY_CODE: dict[str, ErrorKind] = {
    "insufficient_quota": "quota",
    "billing_hard_limit_reached": "quota",
    "billing_not_active": "quota",
    "context_length_exceeded": "context_length",
    "content_filter": "content_filter",
    "content_policy_violation": "content_filter",
    "model_not_found": "model_not_found",
}


class Rejected(Exception):
    """An answer that was not 2xx, reduced to what is needed to classify it."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.codes = _codes(body)


def classify(rejected: Rejected, now: Callable[[], datetime]) -> StreamFault:
    """What a refusal means; ``now`` is asked only for a Retry-After that is a date."""
    return StreamFault(_kind(rejected.status, rejected.codes), retry_after=retry_after(rejected.headers, now))


def retry_after(headers: Mapping[str, str], now: Callable[[], datetime]) -> float | None:
    """Seconds to wait as the provider asks, None when it does not say or says nonsense."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    return seconds if seconds is not None else _until(value, now)


def _kind(status: int, codes: tuple[str, ...]) -> ErrorKind:
    if status in STATUSES_WITH_CODES:
        for code in codes:
            if code in _BY_CODE:
                return _BY_CODE[code]
    if status < 400:
        return "redirected"
    return _BY_STATUS.get(status, "server_error" if status >= 500 else "bad_request")


def _codes(body: bytes) -> tuple[str, ...]:
    try:
        error = mapping(mapping(json.loads(body)).get("error"))
    except (ValueError, RecursionError):
        return ()
    return text(error.get("code")), text(error.get("type"))


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _until(value: str | None, now: Callable[[], datetime]) -> float | None:
    try:
        moment = parsedate_to_datetime(value or "")
    except ValueError:
        return None
    # "-0000" means UTC without saying so, and parses as naive.
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now()).total_seconds())
