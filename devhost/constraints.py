"""Inline route constraints with the meaning ASP.NET Core gives them, which is what decides a match in the host."""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

type Interval = tuple[float, float]

_INTEGER = re.compile(r"\s*[-+]?[0-9]+\s*")
_DECIMAL = re.compile(r"\s*[-+]?(?=[0-9.,]*[0-9])[0-9,]*(\.[0-9]*)?[-+]?\s*")
_FLOAT = re.compile(
    r"\s*[-+]?(?=[0-9.,]*[0-9])[0-9,]*(\.[0-9]*)?(e[-+]?[0-9]+)?\s*|nan|[-+]?infinity|[-+]?∞", re.IGNORECASE
)
_HEX = "[0-9a-f]"
_DASHED = f"{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"
_GUID = re.compile(rf"{_HEX}{{32}}|{_DASHED}|\{{{_DASHED}\}}|\({_DASHED}\)", re.IGNORECASE)
_ALTERNATIVES = re.compile(r"\^\((?:\?:)?([\w-]+(?:\|[\w-]+)*)\)\$|\^([\w-]+)\$")
_DATE_FORMATS = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d %B %Y", "%B %d %Y", "%Y/%m/%d")


class TemplateError(ValueError):
    """The route template or one of its constraints cannot be understood; the message quotes it."""


@dataclass(frozen=True)
class Constraint:
    """A predicate on a route value, plus what is known about the accepted set so that overlaps can be ruled out.

    `numbers` and `lengths` are inclusive intervals; `words` is the complete set when it is finite, in lower case.
    """

    text: str
    accepts: Callable[[str], bool] = field(compare=False)
    numbers: Interval | None = None
    lengths: Interval | None = None
    letters_only: bool = False
    words: frozenset[str] | None = None


def parse_constraint(text: str) -> Constraint:
    """One constraint as written after the colon, e.g. `int` or `range(1,9)`; raises TemplateError."""
    found = re.fullmatch(r"(\w+)(?:\((.*)\))?", text, re.DOTALL)
    if found is None:
        raise TemplateError(f"constraint {text!r} is not of the form name or name(arguments)")
    name, argument = found[1].lower(), found[2]
    if name == "regex":
        return _regex(text, argument)
    if name in _PLAIN and argument is None:
        return _PLAIN[name](text)
    if name in _NUMERIC and argument is not None:
        return _numeric(text, name, argument)
    raise TemplateError(f"constraint {text!r} is unknown or has the wrong number of arguments")


def accept_a_common_value(constraints: Iterable[Constraint]) -> bool:
    """False only when provably no value passes all of them; True is also the answer where that is undecidable."""
    constraints = list(constraints)
    for constraint in constraints:
        if constraint.words is not None:
            return any(all(other.accepts(word) for other in constraints) for word in constraint.words)
    numbers = [constraint.numbers for constraint in constraints if constraint.numbers]
    if numbers and any(constraint.letters_only for constraint in constraints):
        return False
    return _intersect(numbers) and _intersect([each.lengths for each in constraints if each.lengths])


def _intersect(intervals: list[Interval]) -> bool:
    if not intervals:
        return True
    return max(low for low, _ in intervals) <= min(high for _, high in intervals)


def _number_in(low: float, high: float) -> Callable[[str], bool]:
    return lambda value: bool(_INTEGER.fullmatch(value)) and low <= int(value) <= high


def _integer(bits: int) -> Callable[[str], Constraint]:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return lambda text: Constraint(text, _number_in(low, high), numbers=(low, high))


def _pattern(pattern: re.Pattern[str]) -> Callable[[str], Constraint]:
    return lambda text: Constraint(text, lambda value: pattern.fullmatch(value) is not None)


def _is_datetime(value: str) -> bool:
    """The common spellings of DateTime.TryParse under the invariant culture, not all of them."""
    for parse in (datetime.fromisoformat, *(_strptime(form) for form in _DATE_FORMATS)):
        try:
            parse(value.strip())
        except ValueError:
            continue
        return True
    return False


def _strptime(form: str) -> Callable[[str], datetime]:
    return lambda value: datetime.strptime(value, form)  # noqa: DTZ007 - only whether it parses matters


_PLAIN: dict[str, Callable[[str], Constraint]] = {
    "int": _integer(32),
    "long": _integer(64),
    "bool": lambda text: Constraint(
        text, lambda value: value.strip().lower() in {"true", "false"}, words=frozenset({"true", "false"})
    ),
    "guid": _pattern(_GUID),
    "alpha": lambda text: Constraint(
        text, lambda value: re.fullmatch("[a-z]*", value, re.IGNORECASE) is not None, letters_only=True
    ),
    "decimal": _pattern(_DECIMAL),
    "double": _pattern(_FLOAT),
    "float": _pattern(_FLOAT),
    "datetime": lambda text: Constraint(text, _is_datetime),
    "required": lambda text: Constraint(text, lambda value: value != ""),
}
# name -> (how many arguments, is it about the length rather than the value)
_NUMERIC = {
    "min": ((1,), False),
    "max": ((1,), False),
    "range": ((2,), False),
    "length": ((1, 2), True),
    "minlength": ((1,), True),
    "maxlength": ((1,), True),
}


def _numeric(text: str, name: str, argument: str) -> Constraint:
    counts, about_length = _NUMERIC[name]
    try:
        bounds = [int(part) for part in argument.split(",")]
    except ValueError:
        raise TemplateError(f"constraint {text!r} takes whole numbers") from None
    if len(bounds) not in counts:
        raise TemplateError(f"constraint {text!r} is unknown or has the wrong number of arguments")
    low, high = _bounds(name, bounds)
    if about_length:
        return Constraint(text, lambda value: low <= len(value) <= high, lengths=(low, high))
    return Constraint(text, _number_in(low, high), numbers=(low, high))


def _bounds(name: str, given: list[int]) -> Interval:
    if name.startswith("min"):
        return given[0], math.inf
    if name.startswith("max"):
        return -math.inf, given[0]
    return given[0], given[-1]


def _regex(text: str, pattern: str | None) -> Constraint:
    if pattern is None:
        raise TemplateError(f"constraint {text!r} needs a pattern, e.g. regex(^[a-z]+$)")
    try:
        compiled = re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", pattern), re.IGNORECASE)
    except re.error as error:
        raise TemplateError(f"constraint {text!r} is not a regular expression: {error}") from error
    alternatives = _ALTERNATIVES.fullmatch(pattern)
    words = (alternatives[1] or alternatives[2]).lower().split("|") if alternatives else None
    return Constraint(
        text,
        lambda value: compiled.search(value) is not None,
        words=None if words is None else frozenset(words),
    )
