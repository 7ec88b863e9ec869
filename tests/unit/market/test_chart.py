"""The picture of a price history."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from shared.market.chart import draw
from shared.market.providers.sample import SampleProvider

SVG = "{http://www.w3.org/2000/svg}"


def texts(picture: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(picture).iter(f"{SVG}text")]


async def test_it_shows_name_dates_last_value_and_change() -> None:
    """Heading, caveat, the last close with its change, and five dates along the axis."""
    history = await SampleProvider().history("AAPL", "1y", "1d")
    shown = texts(draw(history, "bundled sample data as of 2013-03-01"))
    assert {"Apple Inc. (AAPL), USD", "bundled sample data as of 2013-03-01", "430.47", "-20.94%"} <= set(shown)
    assert shown[-7:-2] == ["Mar 2012", "May 2012", "Aug 2012", "Nov 2012", "Mar 2013"]


async def test_it_can_be_read_aloud() -> None:
    """Title and description say what the line shows, its source and how old it is."""
    root = ET.fromstring(draw(await SampleProvider().history("IBM", "6mo", "1d"), "old data"))
    assert root.attrib["role"] == "img"
    assert root.findtext(f"{SVG}title") == "International Business Machines Corporation (IBM), USD"
    description = root.findtext(f"{SVG}desc") or ""
    assert "Source: sample. old data." in description
    assert "to 202.91" in description


async def test_the_line_stays_inside_the_frame_and_ends_at_the_last_close() -> None:
    """Every point lies between the first and the last price tick."""
    history = await SampleProvider().history("GOOG", "max", "1d")
    root = ET.fromstring(draw(history))
    line = root.find(f"{SVG}polyline")
    assert line is not None
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    grid = [float(node.attrib["y1"]) for node in root.iter(f"{SVG}line")]
    assert len(points) == len(history.bars)
    assert all(min(grid) <= y <= max(grid) for _, y in points)
    assert 4 <= len(grid) <= 8


@pytest.mark.parametrize("closes", [[5.0], [5.0, 5.0, 5.0], [0.0001, 0.0002], [1e6, 2.5e6]])
async def test_any_prices_can_be_drawn(closes: list[float]) -> None:
    """One bar, a level line, tiny and huge prices give well-formed pictures with rising ticks."""
    history = await SampleProvider().history("MSFT", "5d", "1d")
    bars = tuple(replace(history.bars[0], close=close) for close in closes)
    assert texts(draw(replace(history, bars=bars)))


async def test_names_from_outside_stay_text() -> None:
    """Markup in a name is escaped."""
    history = await SampleProvider().history("MSFT", "5d", "1d")
    picture = draw(replace(history, name="<script>alert(1)</script> & Co"))
    assert "<script>" not in picture
    assert "<script>alert(1)</script> & Co (MSFT), USD" in texts(picture)


async def test_long_histories_are_thinned_and_keep_their_ends() -> None:
    """At most some 400 points, the first and last bar among them."""
    history = await SampleProvider().history("MSFT", "max", "1d")
    many = tuple(history.bars) * 10
    line = ET.fromstring(draw(replace(history, bars=many))).find(f"{SVG}polyline")
    assert line is not None
    assert len(line.attrib["points"].split()) <= 401
