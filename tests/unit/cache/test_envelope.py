"""Only whole envelopes of this version, under their own name, are opened."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cache.entries import Entry
from shared.cache.envelope import Poisoned, _stamp, pack, unpack

ENTRY = Entry("schema", 1000.25, 1060.5, 1660.75, negative=False, payload=b'["a\\nb"]\n')
PACKED = pack("name", ENTRY)


@given(st.binary(max_size=50), st.booleans())
def test_round_trip(payload, negative):
    """Everything is kept, whatever the payload; the stamp is new."""
    entry = replace(ENTRY, payload=payload, negative=negative)

    assert replace(unpack("name", pack("name", entry)), stamp=b"") == entry


@given(st.integers(0, len(PACKED) - 1), st.integers(1, 255))
def test_changed_byte_is_noticed(index, change):
    """No single byte can change."""
    damaged = bytearray(PACKED)
    damaged[index] ^= change

    with pytest.raises(Poisoned):
        unpack("name", bytes(damaged))


@given(st.integers(0, len(PACKED) - 1))
def test_cut_is_noticed(length):
    """No byte can be missing."""
    with pytest.raises(Poisoned):
        unpack("name", PACKED[:length])


@given(st.binary())
def test_junk_is_noticed(junk):
    """Any bytes, and none."""
    with pytest.raises(Poisoned):
        unpack("name", junk)


def test_other_name_is_noticed():
    """A value belongs to its key."""
    with pytest.raises(Poisoned):
        unpack("other", PACKED)


@pytest.mark.parametrize(
    "head", [b"", b"2 schema 1 2 3 0", b"1 schema 1 2 3", b"1 schema 1 2 three 0", b"1 \xff 1 2 3 0"]
)
def test_other_version_is_noticed(head):
    """A later program's envelope is whole, and not ours."""
    body = head + b"\n[]"

    with pytest.raises(Poisoned):
        unpack("name", _stamp("name", body) + body)
