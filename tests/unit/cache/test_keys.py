"""Different keys have different names in Redis, whatever text is in them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.cache.keys import CacheKey, redis_names, version_name

TEXT = st.text(st.characters(exclude_categories=()), max_size=8) | st.sampled_from(
    ["", ":", "::", "*", "a:b", "a", "b", "{", "}", "{a}", "%3A", "#", "\n", "\ud800", "a" * 300, "é" * 90]
)
KEYS = st.builds(CacheKey, TEXT.filter(bool), st.lists(TEXT, max_size=4).map(tuple))


def all_names(key: CacheKey) -> set[str]:
    names = redis_names("sa:", key)
    return {names.value, names.lease, names.version}


@given(KEYS, KEYS)
@example(CacheKey("user", ("1",)), CacheKey("user:1"))
@example(CacheKey("user:1", ()), CacheKey("user:1", ("",)))
@example(CacheKey("user", ("1", "profile")), CacheKey("user", ("1:profile",)))
@example(CacheKey("a", ("n",)), CacheKey("a"))
@example(CacheKey("a", ("x" * 300,)), CacheKey("a", ("x" * 299, "x")))
def test_names_are_injective(one, other):
    """Two keys share a name only if they are equal, apart from the version, which is the namespace's."""
    mine, theirs = redis_names("sa:", one), redis_names("sa:", other)

    assert (mine.value == theirs.value) == (one == other)
    assert (mine.lease == theirs.lease) == (one == other)
    assert (mine.version == theirs.version) == (one.namespace == other.namespace)
    assert len(all_names(one)) == 3
    assert not {mine.value, mine.lease} & {theirs.version}


@given(KEYS)
def test_names_are_short_plain_and_in_one_slot(key):
    """Printable ASCII of bounded length, and one hash tag that is not empty."""
    names = all_names(key)

    assert all(name.isascii() and name.isprintable() and " " not in name and len(name) < 400 for name in names)
    tags = {name[name.index("{") + 1 : name.index("}")] for name in names}
    assert len(tags) == 1
    assert tags != {""}
    assert version_name("sa:", key.namespace) in names


def test_a_namespace_is_needed():
    """An empty hash tag is no hash tag: the names would be in several slots."""
    with pytest.raises(ValueError, match="namespace"):
        CacheKey("")


def test_parts_are_a_tuple():
    """A text in place of the tuple would make a key of its letters."""
    with pytest.raises(TypeError, match="tuple"):
        CacheKey("quote", "AAPL")
