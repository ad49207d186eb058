"""How high a sim's page is at a given width, for the `height` of its embeds.

A reckoning of `sims/player/sim.css` on the spec: each number below stands in that file. An embed
whose page listens gets the true height by message; this one is for all others, and spares every
page the jump. `tests/browser/test_height.py` holds it against Chromium.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from build_scripts.render.text import lines, rows, width

__all__ = ["page_height"]

Json = Mapping[str, Any]
SENTENCE, WORDS = 23.2, 40.0  # a line of the sentence; the notice's space with its margins
LABEL, SMALL, HELP = 21.75, 16.9, 17.55  # lines of 15 px, of 13 px titles, of 13 px help
_STRUT = re.compile(r'katex-strut" style="height:([\d.]+)em')


def page_height(spec: Json, across: int, formula: str = "") -> int:
    """Return the height of `main.html` in CSS pixels at a width of `across`.

    Args:
        spec: the sim's spec.
        formula: the formula's HTML, "" where there is none.
    """
    inner = min(across, 992) - 2 * min(28.0, max(14.0, 0.03 * across))
    columns = min(2, sum(p["span"] for p in spec["panels"]))
    if across < 720:
        middle = _stage(spec, inner, 1, across) + _stack(_desk(spec, inner, across, formula), 20)
    elif columns == 1:
        left = (inner - 36) * 7 / 12
        desk = _stack(_desk(spec, inner - 36 - left, across, formula), 20)
        middle = max(_stage(spec, left, 1, across), 20 + desk)
    else:
        middle = _two_columns(spec, inner, across, formula)
    return math.ceil(14 + _head(spec, inner) + middle + _foot(spec, inner) + 10)


def _two_columns(spec: Json, inner: float, across: int, formula: str) -> float:
    """Panels over the whole width; under them the sentence and the numbers, the controls beside."""
    controls = [c for c in spec["controls"] if c["type"] not in ("timeline", "legend")]
    half = (inner - 28) / 2
    beside = half if controls else inner
    left = _sentence(spec, beside) + WORDS + _readouts(spec, beside, across)
    if formula:
        left += _formula(formula, 14) + 16
    right = 14 + _stack([_control(c, half) for c in controls], 16) if controls else 0.0
    return _panels(spec, inner, 2) + _over(spec, inner, across) + max(left, right)


def _stage(spec: Json, room: float, columns: int, across: int) -> float:
    below = _over(spec, room, across) + _sentence(spec, room) + WORDS
    if across < 720 and len(spec["panels"]) > 2:
        return _strip(spec["panels"], spec["frame"]["images"], room - 32) + below
    # With something that plays the second panel ends the stage, and has its margin instead of the gap.
    lead = across < 720 and len(spec["panels"]) == 2 and _plays(spec)
    return _panels(spec, room, columns) + below - (4 if lead else 0)


def _strip(panels: Any, images: Json, room: float) -> float:
    """The tallest title and the tallest picture of a strip to swipe."""
    titles: list[float] = []
    views: list[float] = []
    # A picture is as high as the highest chart.
    slope = max([p["height"] / p["width"] for p in panels if p["type"] == "chart"], default=1)
    for n, panel in enumerate(panels, 1):
        if panel["type"] == "picture":
            size, most, high = images[panel["image"]], 416.0, min(296.0, min(room, 400) * slope)
        else:
            size, most, high = panel, 1.25 * panel["width"], 296.0
        view = min(room, most, high * size["width"] / size["height"])
        views.append(view * size["height"] / size["width"])
        place = 12 + width(f"{n} of {len(panels)}", "sans-400", 13)
        titles.append(SMALL * lines(panel["title"], "sans-600", 13, max(view, 160) - place))
    return max(titles) + 4 + max(views)


def _desk(spec: Json, room: float, across: int, formula: str) -> list[float]:
    """Controls, formula and readouts, one under the other."""
    controls = [c for c in spec["controls"] if c["type"] not in ("timeline", "legend")]
    parts: list[float] = []
    if controls:
        least = 240 if across < 720 else 200
        parts.append(_grid(controls, room, least, (16, 32), _control))
    if formula:
        parts.append(_formula(formula, 15 if across < 720 else 14))
    if spec["readouts"]:
        parts.append(_readouts(spec, room, across))
    return parts


def _head(spec: Json, inner: float) -> float:
    title, origin = width(spec["title"], "serif-600", 19), width("Recorded picture", "sans-400", 13) + 19
    if title + 16 + origin <= inner:
        return 28 + 8
    return 25.65 * lines(spec["title"], "serif-600", 19, inner) + 24 + 8


def _panels(spec: Json, inner: float, columns: int) -> float:
    column = (inner - 28 * (columns - 1)) / columns
    heights: list[float] = []
    free = 0
    for panel in spec["panels"]:
        span = min(panel["span"], columns)
        room = column * span + 28 * (span - 1)
        if panel["type"] == "picture":
            size = spec["frame"]["images"][panel["image"]]
            view = min(room, 416.0) * size["height"] / size["width"]
        else:
            view = min(room, 1.25 * panel["width"]) * panel["height"] / panel["width"]
        high = SMALL * lines(panel["title"], "sans-600", 13, room) + 4 + view
        if span > free:
            heights.append(high)
            free = columns - span
        else:
            heights[-1] = max(heights[-1], high)
            free -= span
    return _stack(heights, 16)


def _over(spec: Json, room: float, across: int) -> float:
    """Legends and transport, between panels and sentence."""
    high = sum(8 + _legend(c, room) for c in spec["controls"] if c["type"] == "legend")
    timelines = [c for c in spec["controls"] if c["type"] == "timeline"]
    if _plays(spec):
        scrub = 28 + (26.75 + _help(timelines[0], room) if timelines else LABEL)
        high += 12 + (max(44.0, scrub) if across > 576 else 44 + 4 + scrub)
    return float(high)


def _plays(spec: Json) -> bool:
    return spec["kind"] == "process" or any(c["type"] == "timeline" for c in spec["controls"])


def _sentence(spec: Json, room: float) -> float:
    return 12 + max(2, lines(spec["frame"]["alt"], "serif-400", 16, min(room, 736))) * SENTENCE


def _legend(control: Json, room: float) -> float:
    chips = [34 + width(o["label"], "sans-400", 15) for o in control["options"]]
    chips.append(4 + 24 + width("AllNone", "sans-400", 15))
    label = width(control["label"], "sans-500", 13)
    if label + 12 + sum(chips) + 2 * (len(chips) - 1) <= room:
        return 32 + _help(control, room)
    return 18.85 + 4 + 32 * rows(chips, 2, room) + _help(control, room)


def _control(control: Json, room: float) -> float:
    if control["type"] == "slider":
        high = 26.75 + 28
    elif control["type"] == "toggle":
        high = max(32, LABEL * lines(control["label"], "sans-500", 15, room - 46))
    elif len(control["options"]) > 4:
        high = LABEL + 4 + 36
    else:
        segments = [24 + width(o["label"], "sans-500", 15) for o in control["options"]]
        high = LABEL + 6 + 4 + 34 * rows(segments, 2, room - 4) - 2
    return high + _help(control, room)


def _help(control: Json, room: float) -> float:
    return 2 + HELP * lines(control["help"], "sans-400", 13, room) if control["help"] else 0.0


def _formula(html: str, size: int) -> float:
    """The tallest line of the formula; KaTeX sets its own type 1.21 times larger."""
    em = max([2.4, *(float(h) for h in _STRUT.findall(html))])
    return 12 + em * 1.21 * size


def _readouts(spec: Json, room: float, across: int) -> float:
    narrow = across <= 576
    number = 28.75 if narrow else 32.5

    def high(readout: Json, column: float) -> float:
        return number + SMALL * lines(readout["label"], "sans-400", 13, column)

    return _grid(spec["readouts"], room, 116 if narrow else 136, (12, 16) if narrow else (14, 24), high)


def _grid(items: Any, room: float, least: float, gap: tuple[float, float], high: Any) -> float:
    """Rows of equal columns, as many as fit; `gap` is (between rows, between columns)."""
    count = max(1, int((room + gap[1]) // (min(least, room) + gap[1])))
    column = (room - gap[1] * (count - 1)) / count
    tall: list[float] = []
    free = 0
    for item in items:
        if _is_wide(item):
            tall.append(high(item, room))
            free = 0
        elif free:
            tall[-1] = max(tall[-1], high(item, column))
            free -= 1
        else:
            tall.append(high(item, column))
            free = count - 1
    return _stack(tall, gap[0])


def _is_wide(item: Json) -> bool:
    """A choice whose segments take a row of their own."""
    options = [o["label"] for o in item.get("options", [])]
    return item.get("type") == "choice" and len(options) <= 4 and len("    ".join(options)) > 24


def _foot(spec: Json, inner: float) -> float:
    texts = ("Copy link", "Copy embed code", "Python", "Full screen")
    buttons = [12 + width(t, "sans-400", 13) for t in texts]
    high = 16.0 + 7 + 32 * rows(buttons, 8, inner + 6)
    if "page" in spec:
        link = width("About this sim", "sans-400", 13)
        together = sum(buttons) + 8 * (len(buttons) - 1) - 6 + 16 + 16 + link
        high += 0 if together <= inner else 18.85
    return high


def _stack(heights: list[float], gap: float) -> float:
    return sum(heights) + gap * max(0, len(heights) - 1)
