"""Access keys and what they open."""

import pytest

from devhost.functions import AuthLevel
from devhost.keys import Keys, load_keys, presented_key

KEYS = Keys(master="m-key", function="f-key")


@pytest.mark.parametrize(
    ("key", "level"),
    [
        (None, AuthLevel.ANONYMOUS),
        ("", AuthLevel.ANONYMOUS),
        ("m-ke", AuthLevel.ANONYMOUS),
        ("schlüssel", AuthLevel.ANONYMOUS),
        ("f-key", AuthLevel.FUNCTION),
        ("m-key", AuthLevel.ADMIN),
    ],
)
def test_level_of_a_key(key: str | None, level: AuthLevel) -> None:
    """The master key opens everything, the function key functions, anything else only what is anonymous."""
    assert level == KEYS.level_of(key)


def test_the_header_decides_when_it_is_there() -> None:
    """The query's code counts only without the header, even an empty one."""
    query = {"code": "q"}
    answers = [presented_key(headers, query) for headers in ({"x-functions-key": "h"}, {"x-functions-key": ""}, {})]
    assert answers == ["h", "", "q"]


def test_keys_come_from_the_environment() -> None:
    """Keys of the environment are used and are not reported as generated."""
    keys = load_keys({"DEVHOST_MASTER_KEY": "a", "DEVHOST_FUNCTION_KEY": "b"})
    assert (keys.master, keys.function, keys.generated) == ("a", "b", {})


def test_missing_keys_are_random_and_reported() -> None:
    """A missing or empty key is made up, differs every time, and is handed out for printing."""
    first, second = load_keys({"DEVHOST_MASTER_KEY": ""}), load_keys({})
    assert {"DEVHOST_MASTER_KEY": first.master, "DEVHOST_FUNCTION_KEY": first.function} == first.generated
    assert len({first.master, first.function, second.master, second.function}) == 4
