"""Takes splits out of a series of prices as traded, so that twenty shares for one is not a loss of 95 percent."""

from dataclasses import replace

from shared.market.types import Bar, History


def without_splits(history: History) -> History:
    """The history in units of today's shares: bars before a split are divided by its ratio, volumes multiplied.

    A history that already accounts for splits comes back as it is; so do adjusted closes, which always do.
    """
    if history.split_adjusted or not history.splits:
        return history
    return replace(history, bars=tuple(_rescaled(bar, history) for bar in history.bars), split_adjusted=True)


def _rescaled(bar: Bar, history: History) -> Bar:
    ratio = 1.0
    for split in history.splits:
        if bar.date < split.date:
            ratio *= split.ratio
    if ratio == 1.0:
        return bar
    return replace(
        bar,
        open=bar.open / ratio,
        high=bar.high / ratio,
        low=bar.low / ratio,
        close=bar.close / ratio,
        volume=round(bar.volume * ratio),
    )
