"""Parses a route template into segments, because both matching and overlap detection need its structure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from devhost.constraints import Constraint, TemplateError, parse_constraint


@dataclass(frozen=True)
class Literal:
    """Fixed text, compared without case."""

    text: str


@dataclass(frozen=True)
class Parameter:
    """A named value; `default` None means the value is absent when the segment is."""

    name: str
    constraints: tuple[Constraint, ...] = ()
    optional: bool = False
    default: str | None = None
    catch_all: bool = False

    @property
    def omittable(self) -> bool:
        return self.optional or self.catch_all or self.default is not None

    def accepts(self, value: str) -> bool:
        return all(constraint.accepts(value) for constraint in self.constraints)


type Part = Literal | Parameter
type Segment = tuple[Part, ...]


def sole_parameter(segment: Segment) -> Parameter | None:
    return segment[0] if len(segment) == 1 and isinstance(segment[0], Parameter) else None


@dataclass(frozen=True)
class Template:
    """A parsed template; `match` is the host's rule for one path."""

    text: str
    segments: tuple[Segment, ...]

    @property
    def parameters(self) -> list[Parameter]:
        return [part for segment in self.segments for part in segment if isinstance(part, Parameter)]

    def match(self, path: str) -> dict[str, str] | None:
        """Route values of a decoded path, always strings, omitted ones without default left out; None is no match."""
        found = self._pattern.fullmatch("/" + path.removeprefix("/"))
        if found is None:
            return None
        values = {}
        for index, parameter in enumerate(self.parameters):
            value = found[f"p{index}"] or parameter.default
            if value is None:
                if parameter.constraints and not parameter.optional:
                    return None
            elif parameter.accepts(value):
                values[parameter.name] = value
            else:
                return None
        return values

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        numbers = iter(range(len(self.parameters)))
        pieces = [segment_pattern(segment, numbers) for segment in self.segments]
        pattern, may_stop = "", True
        for segment, piece in zip(reversed(self.segments), reversed(pieces), strict=True):
            parameter = sole_parameter(segment)
            may_stop = may_stop and parameter is not None and parameter.omittable
            pattern = f"(?:/{piece}{pattern})?" if may_stop else f"/{piece}{pattern}"
        return re.compile(f"{pattern}/?", re.IGNORECASE | re.DOTALL)


def segment_pattern(segment: Segment, numbers: Iterator[int]) -> str:
    """One group per parameter, named after its number; the rightmost separator wins, as in ASP.NET."""
    last = segment[-1] if segment else None
    if len(segment) > 1 and isinstance(last, Parameter) and last.optional:
        head = segment_pattern(segment[:-2], numbers).replace("[^/]+)", "[^/]+?)")
        return rf"{head}(?:\.(?P<p{next(numbers)}>[^/.]+))?"
    return "".join(_part_pattern(part, numbers) for part in segment)


def _part_pattern(part: Part, numbers: Iterator[int]) -> str:
    if isinstance(part, Literal):
        return re.escape(part.text)
    return f"(?P<p{next(numbers)}>{'.*' if part.catch_all else '[^/]+'})"


def parse_template(text: str) -> Template:
    """Raises TemplateError for what the host refuses to register."""
    segments: list[list[Part]] = [[]]
    for token in _tokens(text.strip("/")):
        if token is None:
            segments.append([])
        elif isinstance(token, Literal) and segments[-1] and isinstance(segments[-1][-1], Literal):
            segments[-1][-1] = Literal(segments[-1][-1].text + token.text)
        else:
            segments[-1].append(token)
    template = Template(text, tuple(tuple(segment) for segment in segments))
    _refuse_odd_shapes(template)
    return template


def _tokens(text: str) -> Iterator[Part | None]:
    """Literals character by character, whole parameters, None for a slash; doubled braces are literal ones."""
    index = 0
    while index < len(text):
        char = text[index]
        if text[index : index + 2] in {"{{", "}}"}:
            yield Literal(char)
            index += 2
        elif char == "{":
            inner, index = _read_braces(text, index + 1)
            yield parse_parameter(inner)
        elif char in "}?":
            raise TemplateError(f"route {text!r} has an unexpected {char!r} at position {index}")
        else:
            yield None if char == "/" else Literal(char)
            index += 1


def _read_braces(text: str, index: int) -> tuple[str, int]:
    """The text up to the closing brace and the position after it."""
    inner = ""
    while index < len(text):
        if text[index : index + 2] in {"{{", "}}"}:
            inner += text[index]
            index += 2
        elif text[index] == "}":
            return inner, index + 1
        elif text[index] == "{":
            break
        else:
            inner += text[index]
            index += 1
    raise TemplateError(f"route {text!r} has a parameter that is not closed; a brace inside one must be doubled")


def parse_parameter(inner: str) -> Parameter:
    """The text between the braces."""
    stars = re.match(r"\*{0,2}", inner)
    body = inner[stars.end() :] if stars else inner
    optional = body.endswith("?")
    name, rest = re.fullmatch(r"([^:=]*)(.*)", body.removesuffix("?"), re.DOTALL).groups()  # type: ignore[union-attr]
    if not name or re.search(r"[/{}?*]", name):
        raise TemplateError(f"{{{inner}}} is not a route parameter: the name is empty or has one of / {{ }} ? *")
    constraints, default = _split_constraints(rest)
    parameter = Parameter(
        name=name,
        constraints=tuple(parse_constraint(each) for each in constraints),
        optional=optional,
        default=default,
        catch_all=inner.startswith("*"),
    )
    if optional and (parameter.catch_all or default is not None):
        raise TemplateError(f"{{{inner}}} cannot be optional: it is a catch-all or has a default")
    return parameter


def _split_constraints(rest: str) -> tuple[list[str], str | None]:
    """`:a:b(x)=default` in parts; a `)` ends an argument list only before `:`, `=` or the end, as in ASP.NET."""
    constraints = []
    while rest.startswith(":"):
        found = re.match(r":([^:=(]*(?:\(.*?\)(?=[:=]|$))?)", rest, re.DOTALL)
        text = found[1] if found else ""
        constraints.append(text)
        rest = rest[1 + len(text) :]
        if rest and rest[0] not in ":=":
            raise TemplateError(f"constraint {text + rest!r} has an unbalanced parenthesis")
    return constraints, rest[1:] if rest.startswith("=") else None


def _refuse_odd_shapes(template: Template) -> None:
    names = [parameter.name.lower() for parameter in template.parameters]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated:
        raise TemplateError(f"route {template.text!r} uses the parameter {repeated!r} more than once")
    for segment in template.segments:
        if not segment:
            raise TemplateError(f"route {template.text!r} has an empty segment")
        if any(isinstance(part, Parameter) and part.catch_all for part in segment) and (
            len(segment) > 1 or segment is not template.segments[-1]
        ):
            raise TemplateError(f"route {template.text!r} has a catch-all that is not the whole last segment")
        for left, right in pairwise(segment):
            _refuse_neighbours(template, segment, left, right)


def _refuse_neighbours(template: Template, segment: Segment, left: Part, right: Part) -> None:
    if isinstance(left, Parameter) and isinstance(right, Parameter):
        raise TemplateError(f"route {template.text!r} has two parameters without text between them")
    if isinstance(left, Parameter) and left.optional:
        raise TemplateError(f"route {template.text!r} has an optional parameter before other text")
    if isinstance(right, Parameter) and right.optional and (right is not segment[-1] or left != Literal(".")):
        raise TemplateError(f"route {template.text!r}: an optional parameter within a segment must follow a '.'")
