"""Argument types that several tools share."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shared.errors import AppError
from shared.market.symbols import parse_symbol

Period = Literal["1mo", "3mo", "6mo", "ytd", "1y", "2y", "5y"]


def _symbol(text: str) -> str:
    try:
        return parse_symbol(text)
    except AppError as exc:
        raise ValueError(exc.detail) from None


Symbol = Annotated[
    str,
    AfterValidator(_symbol),
    Field(min_length=1, max_length=64, description="Ticker with its exchange suffix, e.g. AAPL, BRK-B, 0700.HK."),
]
