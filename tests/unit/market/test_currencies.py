"""Minor units and their major ones."""

import pytest

from shared.market.currencies import major_unit


@pytest.mark.parametrize(
    ("quoted", "major", "factor"),
    [
        ("GBp", "GBP", 0.01),
        ("GBX", "GBP", 0.01),
        ("ZAc", "ZAR", 0.01),
        ("ILA", "ILS", 0.01),
        ("GBP", "GBP", 1.0),
        ("USD", "USD", 1.0),
        ("JPY", "JPY", 1.0),
    ],
)
def test_price_in_a_minor_unit_becomes_a_hundredth(quoted, major, factor):
    """Pence, cents and agorot are a hundredth of the currency people hold; a major unit stays."""
    assert (major, factor) == major_unit(quoted)
