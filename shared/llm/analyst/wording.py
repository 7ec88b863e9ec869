"""How figures are put into words."""


def amount(value: float, unit: str) -> str:
    """A price with its currency; four decimals for a small one that two would distort."""
    digits = 2 if abs(value) >= 1 or round(value, 2) == round(value, 4) else 4
    return f"{value:,.{digits}f} {unit}"


def percent(value: float) -> str:
    """The size of a percentage; its direction is said in words."""
    return f"{abs(value):.2f}%"


def signed(value: float) -> str:
    return f"{value:+.2f}%"


def up_or_down(value: float) -> str:
    return "up" if value > 0 else "down" if value < 0 else "unchanged"


def above_or_below(value: float) -> str:
    return "above" if value >= 0 else "below"


def listing(items: list[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def moment(as_of: str, *, with_time: bool) -> str:
    """An ISO moment in UTC as a date, or as a date and a time."""
    day, _, clock = as_of.partition("T")
    return f"{day} {clock[:5]} UTC" if with_time else day
