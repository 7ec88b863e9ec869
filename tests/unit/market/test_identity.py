"""Which instrument a name means, and when that is a question."""

import pytest

from shared.market.identity import Ambiguous, Resolved, Unknown, core_name, resolve
from shared.market.types import Instrument


def listed(symbol: str, name: str, prominence: float | None = None) -> Instrument:
    return Instrument(symbol, name, prominence=prominence)


APPLE = listed("AAPL", "Apple Inc.", 100)
APPLE_DE = listed("APC.DE", "Apple Inc.", 20)
APPLE_HOSPITALITY = listed("APLE", "Apple Hospitality REIT, Inc.", 90)
HPQ = listed("HPQ", "HP Inc.", 50)
HELMERICH = listed("HP", "Helmerich & Payne, Inc.", 40)
FORD = listed("F", "Ford Motor Company", 80)
FORWARD = listed("FORD", "Forward Industries, Inc.", 5)


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("Apple Inc.", "apple"),
        ("apple", "apple"),
        ("The Coca-Cola Company", "coca cola"),
        ("Berkshire Hathaway Inc. Class B", "berkshire hathaway"),
        ("Nestl\u00e9 S.A.", "nestl\u00e9"),
        ("AT&T Inc.", "at&t"),
        ("The Group", "the group"),
        ("", ""),
    ],
)
def test_core_name_leaves_out_case_and_legal_form(name, core):
    """Two spellings of one company compare equal; a name of legal words only keeps them."""
    assert core == core_name(name)


@pytest.mark.parametrize(
    ("query", "candidates", "expected"),
    [
        ("AAPL", (APPLE_HOSPITALITY, APPLE), Resolved(APPLE)),
        ("aapl ", (APPLE_HOSPITALITY, APPLE), Resolved(APPLE)),
        ("apple", (APPLE,), Resolved(APPLE)),
        ("Apple Inc", (APPLE,), Resolved(APPLE)),
        ("apple", (APPLE_DE, APPLE), Resolved(APPLE)),
        ("apple", (APPLE, APPLE_DE), Resolved(APPLE)),
        ("apple", (APPLE, APPLE_HOSPITALITY), Ambiguous((APPLE, APPLE_HOSPITALITY))),
        ("apple hospitality", (APPLE, APPLE_HOSPITALITY), Resolved(APPLE_HOSPITALITY)),
        ("helmerich", (HELMERICH,), Resolved(HELMERICH)),
        ("HP", (HPQ, HELMERICH), Resolved(HELMERICH)),
        ("appel", (APPLE,), Ambiguous((APPLE,))),
        ("app", (APPLE,), Ambiguous((APPLE,))),
        ("apples", (APPLE,), Ambiguous((APPLE,))),
        ("apple", (), Unknown()),
    ],
    ids=[
        "exact symbol",
        "exact symbol in small letters",
        "one company",
        "with legal form",
        "two listings of one company",
        "the same in the other order",
        "two companies",
        "longer name",
        "beginning of a name",
        "HP is not HPQ",
        "misspelt",
        "a part of a word",
        "more than the word",
        "nothing",
    ],
)
def test_resolution(query, candidates, expected):
    """An exact symbol or the only fitting company is an answer; everything else is a question."""
    assert expected == resolve(query, candidates)


@pytest.mark.parametrize(("lead", "kind"), [(130, Resolved), (125, Resolved), (124, Ambiguous), (None, Ambiguous)])
def test_exact_name_must_lead_clearly(lead, kind):
    """One that bears exactly the name wins only when it is a quarter more prominent than its namesakes."""
    best = listed("AAPL", "Apple Inc.", lead)
    other = listed("APLE", "Apple Hospitality REIT, Inc.", 100)

    assert isinstance(resolve("apple", (best, other)), kind)


def test_longer_name_never_wins_by_prominence():
    """However well known it is, a company that is called otherwise is not what was asked for."""
    famous = listed("APLE", "Apple Hospitality REIT, Inc.", 1000)

    assert resolve("apple", (famous, listed("AAPL", "Apple Inc.", 1))) == Ambiguous(
        (famous, listed("AAPL", "Apple Inc.", 1))
    )


def test_behaviour_7_hp_never_becomes_hpq():
    """The word HP is the symbol of Helmerich & Payne; without that listing it is HP Inc. by name, never by a guess."""
    assert resolve("HP", (HPQ, HELMERICH)) == Resolved(HELMERICH)
    assert resolve("hp", (listed("HPE", "Hewlett Packard Enterprise Company"),)) == Ambiguous(
        (listed("HPE", "Hewlett Packard Enterprise Company"),)
    )


def test_name_that_is_also_a_symbol_of_another_company_is_a_question():
    """'Ford' is the name of F and the symbol of Forward Industries; in capitals it is the symbol."""
    assert resolve("Ford", (FORD, FORWARD)) == Ambiguous((FORWARD, FORD))
    assert resolve("FORD", (FORD, FORWARD)) == Resolved(FORWARD)
    assert resolve("ford", (FORWARD,)) == Resolved(FORWARD)


def test_symbol_whose_company_bears_the_name_is_no_question():
    """'Snap' is both the symbol and the name of Snap Inc.; that Snap-on exists does not matter."""
    snap, snap_on = listed("SNAP", "Snap Inc."), listed("SNA", "Snap-on Incorporated")

    assert resolve("snap", (snap_on, snap)) == Resolved(snap)


def test_candidates_are_one_listing_per_company_and_five_at_most():
    """A list of listings is not a question that a person can answer."""
    many = tuple(listed(f"X{number}", f"Apple {chr(65 + number)}x") for number in range(9))
    answer = resolve("apple", (APPLE, APPLE_DE, *many))

    assert isinstance(answer, Ambiguous)
    assert [item.symbol for item in answer.candidates] == ["AAPL", "X0", "X1", "X2", "X3"]
