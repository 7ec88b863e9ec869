"""Draws a price history as an SVG that stands alone: axis, dates, last value, and a title that can be read aloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from math import ceil, floor, log10

from shared.market.types import Bar, History

_WIDTH, _HEIGHT = 720, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 76, 56, 40
_MAX_POINTS = 400
_ACCESSIBLE = 'role="img" aria-labelledby="title desc"'
_STYLE = (
    "text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#41505f}"
    ".t{font-size:15px;font-weight:600;fill:#14202b}.g{stroke:#dde3e9}.u{stroke:#0a7f4f}.d{stroke:#b3261e}"
    ".l{fill:none;stroke-width:2;stroke-linejoin:round}.v{font-weight:600;fill:#14202b}.bg{fill:#fff}"
    "@media (prefers-color-scheme:dark){text{fill:#a9b6c3}.t,.v{fill:#eef3f7}.g{stroke:#33404c}.bg{fill:#141b22}"
    ".u{stroke:#4cc38a}.d{stroke:#ff8a80}}"
)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Maps bars and prices to coordinates."""

    count: int
    low: float
    high: float

    def x(self, index: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (index / max(1, self.count - 1))

    def y(self, price: float) -> float:
        share = (price - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share


def draw(history: History, caveat: str | None = None) -> str:
    """A line of raw closes over the bars of ``history``; ``caveat`` says how old the data are, where that has to be
    said. Long histories are thinned to some 400 points, the first and the last one included."""
    bars = _thinned(history.bars)
    first, last = bars[0], bars[-1]
    ticks = _price_ticks(min(bar.close for bar in bars), max(bar.close for bar in bars))
    scale = _Scale(len(bars), ticks[0], ticks[-1])
    change = 100 * (last.close / first.close - 1)
    heading = f"{history.name} ({history.symbol}), {history.currency}"
    subtitle = f"{first.date} to {last.date}, source: {history.source}"
    if caveat:
        subtitle = caveat
    description = (
        f"Closing prices of {heading} from {first.date} to {last.date}: from {first.close:,.2f} to {last.close:,.2f}, "
        f"{change:+.2f} percent. Source: {history.source}.{f' {caveat}.' if caveat else ''}"
    )
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {_ACCESSIBLE}>',
            f'<title id="title">{escape(heading)}</title><desc id="desc">{escape(description)}</desc>',
            f"<style>{_STYLE}</style>",
            f'<rect class="bg" width="{_WIDTH}" height="{_HEIGHT}"/>',
            f'<text class="t" x="{_LEFT}" y="24">{escape(_shortened(heading, 70))}</text>',
            f'<text x="{_LEFT}" y="42">{escape(_shortened(subtitle, 96))}</text>',
            *_price_axis(ticks, scale),
            *_date_axis(bars, scale),
            _line(bars, scale, rising=last.close >= first.close),
            *_last_value(last, change, scale),
            "</svg>",
        ]
    )


def _thinned(bars: Sequence[Bar]) -> list[Bar]:
    step = ceil(len(bars) / _MAX_POINTS)
    kept = list(bars[::step])
    if kept[-1] is not bars[-1]:
        kept.append(bars[-1])
    # A single bar is drawn as a level line.
    return kept if len(kept) > 1 else kept * 2


def _price_ticks(low: float, high: float) -> list[float]:
    """Four to seven round prices that enclose the range."""
    span = (high - low) or abs(high) * 0.02 or 1.0
    raw = span / 5
    magnitude = 10.0 ** floor(log10(raw))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= raw)
    start = floor(low / step)
    end = max(ceil(high / step), start + 1)
    return [number * step for number in range(start, end + 1)]


def _price_axis(ticks: Sequence[float], scale: _Scale) -> list[str]:
    digits = 0 if ticks[1] - ticks[0] >= 1 else 2 if ticks[1] - ticks[0] >= 0.01 else 4
    parts = []
    for tick in ticks:
        y = scale.y(tick)
        parts.append(f'<line class="g" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:,.{digits}f}</text>')
    return parts


def _date_axis(bars: Sequence[Bar], scale: _Scale) -> list[str]:
    marks = 5
    indices = sorted({round(number * (len(bars) - 1) / (marks - 1)) for number in range(marks)})
    long_range = (bars[-1].date - bars[0].date).days > 200
    baseline = _HEIGHT - _BOTTOM + 18
    labels = {index: _label(bars[index].date, long_range) for index in indices}
    return [
        f'<text x="{scale.x(index):.1f}" y="{baseline}" text-anchor="middle">{label}</text>'
        for index, label in labels.items()
    ]


def _label(day: date, long_range: bool) -> str:
    return f"{day:%b %Y}" if long_range else f"{day.day} {day:%b}"


def _line(bars: Sequence[Bar], scale: _Scale, *, rising: bool) -> str:
    points = " ".join(f"{scale.x(index):.1f},{scale.y(bar.close):.1f}" for index, bar in enumerate(bars))
    return f'<polyline class="l {"u" if rising else "d"}" points="{points}"/>'


def _last_value(last: Bar, change: float, scale: _Scale) -> list[str]:
    x, y = scale.x(scale.count - 1), scale.y(last.close)
    return [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="v"/>',
        f'<text class="v" x="{x + 8:.1f}" y="{y - 2:.1f}">{last.close:,.2f}</text>',
        f'<text x="{x + 8:.1f}" y="{y + 13:.1f}">{change:+.2f}%</text>',
    ]


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
