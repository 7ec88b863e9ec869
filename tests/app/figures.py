"""Compares the figures of an answer with its facts, independently of the code that let them pass."""

import re
from collections.abc import Sequence
from typing import Any

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
FACT = {"id", "symbol", "name", "value", "unit", "currency", "as_of", "source", "stale", "delayed_by_s"}

_NAMES = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d UTC)?|RSI\(\d+\)|\d+-day|\(30 to 70 counts as neutral\)")
_FIGURE = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def unsourced(text: str, facts: Sequence[dict[str, Any]]) -> list[str]:
    """The figures of ``text`` that are not the value of a fact, rounded as the text shows it."""
    return [figure for figure in _FIGURE.findall(_NAMES.sub(" ", text)) if not _is_a_fact(figure, facts)]


def _is_a_fact(figure: str, facts: Sequence[dict[str, Any]]) -> bool:
    plain = figure.replace(",", "")
    decimals = len(plain.partition(".")[2])
    return any(abs(abs(fact["value"]) - float(plain)) <= 0.5 * 10**-decimals + 1e-9 for fact in facts)


def check_facts(facts: Sequence[dict[str, Any]]) -> None:
    """Every fact has the fields and types of the contract, a source, a moment, and a currency where it is money."""
    assert [fact["id"] for fact in facts] == [f"f{number}" for number in range(1, len(facts) + 1)]
    for fact in facts:
        assert set(fact) == FACT
        assert all(isinstance(fact[name], str) and fact[name] for name in ("symbol", "name", "unit", "source"))
        assert isinstance(fact["value"], int | float)
        assert isinstance(fact["stale"], bool)
        assert fact["delayed_by_s"] is None or isinstance(fact["delayed_by_s"], int)
        assert MOMENT.fullmatch(fact["as_of"])
        assert fact["currency"] in {None, fact["unit"]}
        assert (fact["currency"] is not None) == bool(re.fullmatch("[A-Z]{3}", fact["unit"]))
