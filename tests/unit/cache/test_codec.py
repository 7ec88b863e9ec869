"""What goes in comes out, of the same type; what is something else does not."""

import enum
import math
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta, timezone
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cache.codec import Codec, Undecodable, Unencodable
from shared.market.types import Bar, History, Quote

MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]))
FLOATS = st.floats(allow_nan=False, width=64)
TEXT = st.text(max_size=20)
BARS = st.builds(Bar, st.dates(), FLOATS, FLOATS, FLOATS, FLOATS, FLOATS, st.integers())
HISTORIES = st.builds(
    History, TEXT, TEXT, TEXT, st.sampled_from(["1d", "1wk"]), st.lists(BARS, max_size=3).map(tuple), MOMENTS, TEXT
)


class Colour(enum.Enum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Odd:
    colour: Colour
    money: Decimal
    raw: bytes
    span: timedelta
    one_of: Literal["a", 1]
    nested: "Odd | None" = None


@dataclass
class Mutable:
    number: int


@given(HISTORIES)
def test_history_survives(history):
    """To the last bit of a float, with the offset of its moment."""
    codec = Codec(History)

    back = codec.decode(codec.encode(history))

    assert back == history
    assert repr(back.bars) == repr(history.bars)
    assert back.as_of.utcoffset() == history.as_of.utcoffset()


def test_unusual_fields_survive():
    """Enumerations, decimals, bytes, durations, literals and types that contain themselves."""
    codec = Codec(Odd)
    odd = Odd(Colour.RED, Decimal("0.10"), b"\xff\x00", timedelta(seconds=1.5), 1)
    odd = replace(odd, nested=odd)

    assert codec.decode(codec.encode(odd)) == odd
    assert codec.shareable


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_numbers_that_json_has_not_survive(number):
    """They do not turn into nothing on the way."""
    codec = Codec(float)

    assert repr(codec.decode(codec.encode(number))) == repr(number)


@pytest.mark.parametrize(
    ("type_", "shareable"),
    [
        (Quote, True),
        (History, True),
        (tuple[Bar, ...], True),
        (int | None, True),
        (str, True),
        (None, True),
        (list[int], False),
        (dict[str, int], False),
        (Mutable, False),
        (tuple[Mutable, ...], False),
        (frozenset[date], True),
    ],
)
def test_only_immutable_types_are_shared(type_, shareable):
    """One object for all callers needs that none can change it."""
    assert Codec(type_).shareable is shareable


def test_schema_follows_the_fields():
    """Another field, another type of a field, another type within: another schema; the same type has the same."""

    def schemas():
        for annotation in (int, int | None, str, tuple[int, ...], list[int], dict[str, Bar], dict[str, Quote]):
            yield Codec(dataclass(frozen=True)(type("Point", (), {"__annotations__": {"x": annotation}}))).schema
        yield Codec(dataclass(frozen=True)(type("Point", (), {"__annotations__": {"y": int}}))).schema

    assert len(set(schemas())) == 8
    assert list(schemas()) == list(schemas())


@pytest.mark.parametrize("value", ["text", {"symbol": "A"}, 3, [Quote]])
def test_other_values_are_refused(value):
    """A value that is not of the type is told apart before it is stored."""
    with pytest.raises(Unencodable):
        Codec(Quote).encode(value)


def test_lone_surrogate_is_refused():
    """It has no bytes."""
    with pytest.raises(Unencodable):
        Codec(str).encode("\ud800")


@given(
    st.binary(max_size=200) | st.text().map(str.encode) | st.sampled_from([b"[]", b"[{}]", b"[[]]" * 100, b"[" * 9999])
)
def test_junk_is_undecodable(junk):
    """Any bytes give a value or ``Undecodable``, never another error."""
    with pytest.raises(Undecodable):
        Codec(Quote).decode(junk)


def test_type_confusion_is_undecodable():
    """A number written as text is another schema's entry, not a number."""
    with pytest.raises(Undecodable):
        Codec(int).decode(b'["1"]')
