"""Minor currency units that exchanges quote in, and what they are in the currency people hold."""

from typing import Final

# London in pence, Johannesburg in cents, Tel Aviv in agorot; one hundred to the major unit each.
_MINOR_UNITS: Final = {"GBp": "GBP", "GBX": "GBP", "ZAc": "ZAR", "ZAC": "ZAR", "ILA": "ILS"}


def major_unit(currency: str) -> tuple[str, float]:
    """The ISO 4217 currency of a quoted unit and the factor that turns a price in it into major units."""
    if currency in _MINOR_UNITS:
        return _MINOR_UNITS[currency], 0.01
    return currency, 1.0
