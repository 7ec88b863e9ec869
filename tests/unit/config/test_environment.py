"""The table of environment variables against the settings tree."""

import types
from typing import Annotated, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, SecretStr

from shared.config.environment import VARIABLES, Variable
from shared.config.settings import Settings


def _annotation(path: str):
    """The annotation that a dotted path of the tree leads to; any key is valid in a mapping."""
    node = Settings
    for name in path.split("."):
        if get_origin(node) is dict:
            node = get_args(node)[1]
        else:
            assert issubclass(node, BaseModel), f"{path}: {node} has no settings below it"
            assert name in node.model_fields, f"{path}: {node.__name__} has no {name!r}"
            node = node.model_fields[name].annotation
    return node


def _alternatives(annotation) -> tuple:
    parts = get_args(annotation) if get_origin(annotation) in {Union, types.UnionType} else (annotation,)
    return tuple(getattr(part, "__origin__", part) if get_origin(part) is Annotated else part for part in parts)


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_variable_sets_a_setting_that_exists(variable):
    """A path of the table leads to a leaf of the tree, a list to a tuple, a secret to a SecretStr."""
    alternatives = _alternatives(_annotation(variable.path))

    assert not any(isinstance(item, type) and issubclass(item, BaseModel) for item in alternatives)
    assert (variable.kind == "list") == any(get_origin(item) is tuple for item in alternatives)
    assert variable.secret == (SecretStr in alternatives)


def test_every_name_and_path_is_listed_once():
    """Two variables for one setting would make the winner a matter of order."""
    assert len(VARIABLES) == len({variable.name for variable in VARIABLES})
    assert len(VARIABLES) == len({variable.path for variable in VARIABLES})


def test_list_is_split_and_text_is_trimmed():
    """A list loses empty items, a text its surrounding space."""
    assert Variable("A", "a", kind="list").parse(" x, y ,,z ") == ["x", "y", "z"]
    assert Variable("A", "a").parse(" x, y ") == "x, y"
