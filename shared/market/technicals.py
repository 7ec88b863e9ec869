"""Named indicators of a price history, each with its period, the bars it used and the convention it follows."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shared.errors import InvalidRequest
from shared.market import indicators
from shared.market.indicators import Series
from shared.market.types import Bar

DEFAULT_NAMES = ("sma50", "sma200", "rsi14", "macd", "bbands20", "atr14")
_MAX_PERIOD = 400
_NAME = re.compile(r"(sma|ema|rsi|bbands|atr)(\d{0,3})|macd|stoch")
_DEFAULT_PERIODS = {"sma": 50, "ema": 20, "rsi": 14, "bbands": 20, "atr": 14}


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest value of an indicator. ``value`` is None, with ``bars_needed`` above ``bars_used``, for insufficient
    data. ``parts`` holds the lines of a compound indicator by name; ``value`` is then its main line. ``unit`` is
    ``price`` (the currency of the history) or ``points``."""

    name: str
    period: int
    bars_used: int
    bars_needed: int
    unit: str
    convention: str
    value: float | None = None
    parts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Computed:
    main: Series
    parts: dict[str, Series] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Spec:
    name: str
    period: int
    bars_needed: int
    unit: str
    convention: str
    compute: Callable[[Sequence[Bar]], _Computed]


def read_indicators(bars: Sequence[Bar], names: Sequence[str] = DEFAULT_NAMES) -> tuple[Reading, ...]:
    """The newest readings on raw closes, in the order of ``names``; raises ``InvalidRequest`` for a name not known."""
    return tuple(_read(_spec(name), bars) for name in dict.fromkeys(_canonical(name) for name in names))


def _canonical(name: str) -> str:
    cleaned = name.strip().lower().replace("_", "")
    match = _NAME.fullmatch(cleaned)
    if not match:
        raise InvalidRequest(
            f"Indicator {name[:32]!r} is not known: use sma, ema, rsi, bbands or atr, with a period such as sma50 or "
            "without one, macd or stoch."
        )
    if match[1] is None:
        return cleaned
    period = int(match[2]) if match[2] else _DEFAULT_PERIODS[match[1]]
    if not 2 <= period <= _MAX_PERIOD:
        raise InvalidRequest(f"The period of {cleaned!r} must be between 2 and {_MAX_PERIOD}.")
    return f"{match[1]}{period}"


def _read(spec: _Spec, bars: Sequence[Bar]) -> Reading:
    computed = spec.compute(bars)
    value = computed.main[-1] if bars else None
    parts = {name: series[-1] if bars else None for name, series in computed.parts.items()}
    known = {name: part for name, part in parts.items() if part is not None}
    return Reading(
        name=spec.name,
        period=spec.period,
        bars_used=len(bars),
        bars_needed=spec.bars_needed,
        unit=spec.unit,
        convention=spec.convention,
        value=value if len(known) == len(parts) else None,
        parts=known if len(known) == len(parts) else {},
    )


def _spec(name: str) -> _Spec:
    if name == "macd":
        return _Spec(name, 26, 34, "price", "MACD(12,26,9), exponential averages seeded with their mean", _macd)
    if name == "stoch":
        return _Spec(name, 14, 18, "points", "slow stochastic (14,3,3)", _stoch)
    kind, period = name.rstrip("0123456789"), int(name.lstrip("abcdefghijklmnopqrstuvwxyz"))
    return _SINGLE[kind](name, period)


def _sma(name: str, period: int) -> _Spec:
    return _Spec(
        name,
        period,
        period,
        "price",
        "simple average of closes",
        lambda bars: _Computed(indicators.sma(_closes(bars), period)),
    )


def _ema(name: str, period: int) -> _Spec:
    return _Spec(
        name,
        period,
        period,
        "price",
        "exponential average of closes, seeded with their mean",
        lambda bars: _Computed(indicators.ema(_closes(bars), period)),
    )


def _rsi(name: str, period: int) -> _Spec:
    return _Spec(
        name,
        period,
        period + 1,
        "points",
        "Wilder's smoothing",
        lambda bars: _Computed(indicators.rsi(_closes(bars), period)),
    )


def _bbands(name: str, period: int) -> _Spec:
    def compute(bars: Sequence[Bar]) -> _Computed:
        bands = indicators.bbands(_closes(bars), period, 2.0)
        return _Computed(bands.middle, {"upper": bands.upper, "middle": bands.middle, "lower": bands.lower})

    return _Spec(name, period, period, "price", "two population standard deviations", compute)


def _atr(name: str, period: int) -> _Spec:
    def compute(bars: Sequence[Bar]) -> _Computed:
        return _Computed(indicators.atr(_highs(bars), _lows(bars), _closes(bars), period))

    return _Spec(name, period, period + 1, "price", "Wilder's smoothing of the true range", compute)


def _macd(bars: Sequence[Bar]) -> _Computed:
    macd = indicators.macd(_closes(bars))
    return _Computed(macd.line, {"macd": macd.line, "signal": macd.signal, "histogram": macd.histogram})


def _stoch(bars: Sequence[Bar]) -> _Computed:
    stoch = indicators.stoch_slow(_highs(bars), _lows(bars), _closes(bars))
    return _Computed(stoch.k, {"k": stoch.k, "d": stoch.d})


_SINGLE: dict[str, Callable[[str, int], _Spec]] = {
    "sma": _sma,
    "ema": _ema,
    "rsi": _rsi,
    "bbands": _bbands,
    "atr": _atr,
}


def _closes(bars: Sequence[Bar]) -> list[float]:
    return [bar.close for bar in bars]


def _highs(bars: Sequence[Bar]) -> list[float]:
    return [bar.high for bar in bars]


def _lows(bars: Sequence[Bar]) -> list[float]:
    return [bar.low for bar in bars]
