"""Finds routes that can answer the same request, since the host then lets the alphabet decide."""

import re
from collections.abc import Sequence
from itertools import combinations, count

from devhost.constraints import accept_a_common_value
from devhost.errors import Problem
from devhost.routes import Route
from devhost.templates import Literal, Parameter, Segment, Template, segment_pattern, sole_parameter


def find_overlaps(routes: Sequence[Route]) -> list[Problem]:
    """Every pair that shares a method and may share a path, except a pure catch-all that sorts after all others.

    `routes` must be in host order.
    """
    return [
        Problem(
            None,
            f"functions {first.function.name!r} ({first.template.text}) and {second.function.name!r} "
            f"({second.template.text}) can both answer the same request; the host picks {first.function.name!r} "
            "by name, not the more specific route. Constrain a parameter, split the methods or change a route.",
        )
        for first, second in combinations(routes, 2)
        if first.trigger.shares_a_method_with(second.trigger)
        and not (second is routes[-1] and _takes_only_the_rest(second))
        and overlap(first.template, second.template)
    ]


def overlap(first: Template, second: Template) -> bool:
    """True when some path may match both; constraints count as far as that can be decided."""
    return _meet(first.segments, second.segments)


def _takes_only_the_rest(route: Route) -> bool:
    return re.fullmatch(r"\{\*{1,2}\w+\}", route.trigger.route) is not None


def _meet(left: Sequence[Segment], right: Sequence[Segment]) -> bool:
    if not left and not right:
        return True
    if _may_end(left) and _may_end(right):
        return True
    if not left or not right:
        return False
    for one, other in ((left, right), (right, left)):
        parameter = sole_parameter(one[0])
        if parameter is not None and parameter.catch_all:
            return _catches(parameter, other)
    return _segments_meet(left[0], right[0]) and _meet(left[1:], right[1:])


def _may_end(rest: Sequence[Segment]) -> bool:
    """Whether everything that is left may be absent from the path."""
    parameters = [sole_parameter(segment) for segment in rest]
    return all(
        parameter is not None
        and parameter.omittable
        and not (parameter.catch_all and parameter.constraints and parameter.default is None)
        for parameter in parameters
    )


def _catches(catch_all: Parameter, rest: Sequence[Segment]) -> bool:
    """Decided only for a fixed remainder; anything else is taken to meet."""
    if all(len(segment) == 1 and isinstance(segment[0], Literal) for segment in rest):
        return catch_all.accepts(
            "/".join(part.text for segment in rest for part in segment if isinstance(part, Literal))
        )
    return True


def _segments_meet(left: Segment, right: Segment) -> bool:
    for one, other in ((left, right), (right, left)):
        if len(one) == 1 and isinstance(one[0], Literal):
            return _matches(other, one[0].text)
    left_parameter, right_parameter = sole_parameter(left), sole_parameter(right)
    if left_parameter and right_parameter:
        return accept_a_common_value(left_parameter.constraints + right_parameter.constraints)
    return _ends_meet(left, right)


def _matches(segment: Segment, text: str) -> bool:
    found = re.fullmatch(segment_pattern(segment, count()), text, re.IGNORECASE)
    if found is None:
        return False
    parameters = [part for part in segment if isinstance(part, Parameter)]
    values = zip(parameters, found.groups(), strict=True)
    return all(value is None or parameter.accepts(value) for parameter, value in values)


def _ends_meet(left: Segment, right: Segment) -> bool:
    """For mixed segments such as `v{n}`: the fixed starts and the fixed ends must be compatible."""
    starts = _fixed(left[0]), _fixed(right[0])
    ends = _fixed(left[-1]), _fixed(right[-1])
    return _one_starts_the_other(*starts) and _one_starts_the_other(ends[0][::-1], ends[1][::-1])


def _fixed(part: Literal | Parameter) -> str:
    return part.text.lower() if isinstance(part, Literal) else ""


def _one_starts_the_other(left: str, right: str) -> bool:
    return left.startswith(right) or right.startswith(left)
