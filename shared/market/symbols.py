"""What counts as a symbol, decided before any URL, cache key or log line is built from it."""

import re
import unicodedata

from shared.errors import InvalidRequest

_SYMBOL = re.compile(r"\^?[A-Z0-9][A-Z0-9.\-=]{0,14}")
# Yahoo writes share classes with a hyphen. Only A and B: .L, .T, .F, .V and others are exchange suffixes.
_SHARE_CLASS = re.compile(r"([A-Z]{1,5})\.([AB])")


class InvalidSymbol(InvalidRequest):
    """The text cannot be a symbol."""

    code = "invalid_symbol"

    def __init__(self) -> None:
        super().__init__(
            "The symbol is not valid: use 1 to 15 of A-Z, 0-9, '.', '-' and '=', as in 'AAPL', '^GSPC' or '0700.HK'."
        )


def parse_symbol(text: str) -> str:
    """The neutral form of a symbol: NFKC, upper case, share classes as ``BRK-B``. Raises ``InvalidSymbol``."""
    if len(text) > 64:
        raise InvalidSymbol
    candidate = unicodedata.normalize("NFKC", text).strip(" ")
    # Before upper(): the dotless i and the sharp s turn into plain letters only there.
    if not candidate.isascii():
        raise InvalidSymbol
    candidate = candidate.upper()
    if not _SYMBOL.fullmatch(candidate) or ".." in candidate:
        raise InvalidSymbol
    if match := _SHARE_CLASS.fullmatch(candidate):
        return f"{match[1]}-{match[2]}"
    return candidate
