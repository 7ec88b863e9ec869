"""Technical indicators in plain Python, so that an answer from cached bars never has to load a numeric library.

Conventions are TA-Lib's defaults. Every function takes finite floats, oldest first, and returns lists as long as its
input, None until the first value exists; input too short for one value gives only None. ``ValueError`` is raised for a
period below 1, a value that is NaN or infinite, or series of different lengths: drop unusable bars before calling.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

type Series = list[float | None]


@dataclass(frozen=True, slots=True)
class Macd:
    """``histogram`` is ``line`` minus ``signal``; the three share one first index."""

    line: Series
    signal: Series
    histogram: Series


@dataclass(frozen=True, slots=True)
class Bands:
    upper: Series
    middle: Series
    lower: Series


@dataclass(frozen=True, slots=True)
class Stochastic:
    """Percent, 0 to 100; ``d`` is the moving average of ``k`` and starts later."""

    k: Series
    d: Series


def sma(values: Sequence[float], period: int) -> Series:
    """Simple moving average (StockCharts ChartSchool, "Moving Averages"). First value at index ``period - 1``."""
    _check(period, values=values)
    return _rolling(values, period, lambda window: math.fsum(window) / period)


def ema(values: Sequence[float], period: int) -> Series:
    """Exponential average, k = 2/(period + 1), seeded with the mean of the first ``period`` values (StockCharts).

    First value at index ``period - 1``. Below some 250 bars the seed is still visible in long averages.
    """
    _check(period, values=values)
    return _padded(_smooth(values, period, _ema_weight(period)), len(values))


def wilder(values: Sequence[float], period: int) -> Series:
    """Wilder's smoothing, k = 1/period, seeded with the mean (Achelis, "Technical Analysis from A to Z", p. 366).

    First value at index ``period - 1``.
    """
    _check(period, values=values)
    return _padded(_smooth(values, period, 1 / period), len(values))


def rsi(values: Sequence[float], period: int = 14) -> Series:
    """Relative strength index after Wilder, "New Concepts in Technical Trading Systems" (1978).

    100 * gain / (gain + loss), both smoothed his way. First value at index ``period``. A series without
    any movement has no relative strength: None, where TA-Lib says 0.
    """
    _check(period, values=values)
    changes = [after - before for before, after in pairwise(values)]
    gains = _smooth([max(change, 0.0) for change in changes], period, 1 / period)
    losses = _smooth([max(-change, 0.0) for change in changes], period, 1 / period)
    strengths = [_share(gain, gain + loss) for gain, loss in zip(gains, losses, strict=True)]
    return _padded(strengths, len(values))


def macd(values: Sequence[float], fast: int = 12, slow: int = 26, signal: int = 9) -> Macd:
    """Moving average convergence/divergence after Appel, with TA-Lib's seeding: both averages begin at ``slow - 1``.

    First values at index ``slow + signal - 2`` (33 by default); the line is withheld until its signal exists. A flat
    series gives zeros.
    """
    _check(min(fast, signal), values=values)
    if fast >= slow:
        raise ValueError(f"fast period {fast} must be shorter than slow period {slow}")
    slow_average = _smooth(values, slow, _ema_weight(slow))
    fast_average = _smooth(values[slow - fast :], fast, _ema_weight(fast))
    line = [quick - lagging for quick, lagging in zip(fast_average, slow_average, strict=True)]
    signals = _smooth(line, signal, _ema_weight(signal))
    settled = line[signal - 1 :]
    return Macd(
        line=_padded(settled, len(values)),
        signal=_padded(signals, len(values)),
        histogram=_padded([m - s for m, s in zip(settled, signals, strict=True)], len(values)),
    )


def bbands(values: Sequence[float], period: int = 20, width: float = 2.0) -> Bands:
    """Bollinger bands: SMA plus and minus ``width`` population standard deviations (ddof 0, as Bollinger defines them).

    First values at index ``period - 1``. On a flat series the three bands coincide.
    """
    middle = sma(values, period)
    deviations = _rolling(values, period, _population_deviation)
    return Bands(
        upper=_combine(middle, deviations, lambda mean, deviation: mean + width * deviation),
        middle=middle,
        lower=_combine(middle, deviations, lambda mean, deviation: mean - width * deviation),
    )


def atr(
    high: Sequence[float],
    low: Sequence[float],
    close: Sequence[float],
    period: int = 14,
    *,
    count_first_bar: bool = False,
) -> Series:
    """Average true range after Wilder (1978): his smoothing of max(h - l, |h - previous c|, |l - previous c|).

    TA-Lib's convention, the default, begins with the second bar because the first has no previous close: first value
    at index ``period``. ``count_first_bar`` is the StockCharts convention, whose first true range is h - l: first value
    at ``period - 1``. Bars without any range give 0.
    """
    _check(period, high=high, low=low, close=close)
    ranges = [max(h, previous) - min(lo, previous) for h, lo, previous in zip(high[1:], low[1:], close, strict=False)]
    if count_first_bar and high:
        ranges = [high[0] - low[0], *ranges]
    return _padded(_smooth(ranges, period, 1 / period), len(high))


def stoch_fast(
    high: Sequence[float], low: Sequence[float], close: Sequence[float], k: int = 14, d: int = 3
) -> Stochastic:
    """Fast stochastic oscillator after Lane (StockCharts): where the close lies in the range of the last ``k`` bars.

    %K begins at index ``k - 1``, %D = SMA(%K, d) at ``k + d - 2``. A window without any range gives 0, as in TA-Lib.
    """
    _check(min(k, d), high=high, low=low, close=close)
    highest, lowest = _rolling(high, k, max), _rolling(low, k, min)
    positions = [
        _share(c - bottom, top - bottom) or 0.0
        for c, top, bottom in zip(close, highest, lowest, strict=True)
        if top is not None and bottom is not None
    ]
    return _stochastic(positions, d, len(close))


def stoch_slow(  # noqa: PLR0917 - the order of TA-Lib's STOCH
    high: Sequence[float], low: Sequence[float], close: Sequence[float], k: int = 14, slowing: int = 3, d: int = 3
) -> Stochastic:
    """Slow stochastic oscillator (TA-Lib STOCH): the fast %K averaged over ``slowing`` bars, and %D over that.

    %K begins at index ``k + slowing - 2``, %D = SMA(%K, d) at ``k + slowing + d - 3``. A window without any range
    counts as 0, as in TA-Lib.
    """
    _check(d, high=high, low=low, close=close)
    slowed = _known(stoch_fast(high, low, close, k=k, d=slowing).d)
    return _stochastic(slowed, d, len(close))


def _stochastic(k_values: Sequence[float], d: int, length: int) -> Stochastic:
    return Stochastic(k=_padded(k_values, length), d=_padded(_known(sma(k_values, d)), length))


def _check(period: int, **series: Sequence[float]) -> None:
    if period < 1:
        raise ValueError(f"period must be at least 1, not {period}")
    if len({len(values) for values in series.values()}) > 1:
        raise ValueError(f"series {', '.join(series)} must have the same length")
    for name, values in series.items():
        if not all(map(math.isfinite, values)):
            raise ValueError(f"series {name} holds a value that is not finite; drop such bars first")


def _smooth(values: Sequence[float], period: int, weight: float) -> list[float]:
    """Recursive average seeded with the mean of the first ``period`` values; its first element is at ``period - 1``."""
    if len(values) < period:
        return []
    average = math.fsum(values[:period]) / period
    averages = [average]
    for value in values[period:]:
        average += weight * (value - average)
        averages.append(average)
    return averages


def _rolling(values: Sequence[float], period: int, measure: Callable[[Sequence[float]], float]) -> Series:
    windows = (values[end - period : end] for end in range(period, len(values) + 1))
    return _padded([measure(window) for window in windows], len(values))


def _population_deviation(window: Sequence[float]) -> float:
    mean = math.fsum(window) / len(window)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in window) / len(window))


def _ema_weight(period: int) -> float:
    return 2 / (period + 1)


def _share(part: float, whole: float) -> float | None:
    return 100 * part / whole if whole else None


def _padded(values: Sequence[float | None], length: int) -> Series:
    return [*[None] * (length - len(values)), *values]


def _known(series: Series) -> list[float]:
    return [value for value in series if value is not None]


def _combine(left: Series, right: Series, measure: Callable[[float, float], float]) -> Series:
    return [None if a is None or b is None else measure(a, b) for a, b in zip(left, right, strict=True)]
