"""The labelled values that an answer may state."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from shared.agent.facts import FactLedger
from tests.unit.fakes.ledger import ORIGIN


@pytest.fixture
def ledger() -> FactLedger:
    return FactLedger()


def test_fact_carries_its_origin(ledger):
    """Symbol, source, moment and staleness come from the tool result that the value is part of."""
    fact = ledger.add(replace(ORIGIN, delayed_by_s=900), "last_price", 430.47, "USD")

    assert (fact.id, fact.symbol, fact.source, fact.as_of, fact.stale, fact.delayed_by_s) == (
        "f1",
        "AAPL",
        "sample",
        datetime(2013, 3, 1, 21, tzinfo=UTC),
        True,
        900,
    )


@pytest.mark.parametrize(
    ("unit", "currency", "kind"),
    [
        ("USD", "USD", "price"),
        ("GBP", "GBP", "price"),
        ("percent", None, "percent"),
        ("percentage_points", None, "percent"),
        ("points", None, "other"),
        ("ratio", None, "other"),
        ("shares", None, "other"),
        ("bars", None, "other"),
    ],
)
def test_unit_decides_currency_and_kind(ledger, unit, currency, kind):
    """A currency code makes a price; the other units are what they are called."""
    fact = ledger.add(ORIGIN, "x", 1, unit)

    assert (currency, kind) == (fact.currency, fact.kind)


def test_same_fact_keeps_its_first_id(ledger):
    """Two tools that return one value make one fact."""
    first = ledger.add(ORIGIN, "last_price", 430.47, "USD")
    ledger.add(ORIGIN, "change", 1, "USD")

    assert ledger.add(ORIGIN, "last_price", 430.470001, "USD") is first
    assert [fact.id for fact in ledger.facts] == ["f1", "f2"]


def test_same_name_with_another_value_source_or_moment_is_another_fact(ledger):
    """Nothing is overwritten by a later reading."""
    later = datetime(2013, 3, 2, tzinfo=UTC)
    ledger.add(ORIGIN, "last_price", 430.47, "USD")
    ledger.add(ORIGIN, "last_price", 431.0, "USD")
    ledger.add(replace(ORIGIN, source="yahoo"), "last_price", 430.47, "USD")
    ledger.add(ORIGIN, "last_price", 430.47, "USD", as_of=later)
    ledger.add(replace(ORIGIN, symbol="FB"), "last_price", 430.47, "USD")

    assert [fact.id for fact in ledger.facts] == ["f1", "f2", "f3", "f4", "f5"]
    assert ledger.facts[3].as_of == later


def test_values_are_rounded_to_four_decimals(ledger):
    """More digits than a source has would only look precise."""
    assert ledger.add(ORIGIN, "x", 1 / 3, "percent").value == 0.3333


def test_dates_come_from_facts_and_mentions(ledger):
    """The day of each fact, and what a tool stated beside them."""
    ledger.add(ORIGIN, "x", 1, "USD")
    ledger.mention(date(2012, 1, 3))

    assert ledger.dates == {date(2013, 3, 1), date(2012, 1, 3)}


def test_references_are_kept_apart_from_facts(ledger):
    """A convention is no fact of any company."""
    ledger.refer(30, 70)

    assert (ledger.references, ledger.facts) == ({30, 70}, ())
