"""Paints a panel at build: a small SVG whose colours follow the page's theme."""

from __future__ import annotations

import copy
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import vl_convert

from build_scripts.look import chart_font, painter_fonts
from build_scripts.render.errors import RenderError
from build_scripts.render.recolor import PAINTS, in_dark, is_mixed, mixed_colors, themed
from build_scripts.render.slim import SVG, XLINK, rename_ids, slim
from build_scripts.render.source import SimSource
from build_scripts.render.vega import CompiledPanel

__all__ = ["Painting", "paint", "painter", "rows"]

LEAST_PLOT = 40


@dataclass(frozen=True)
class Painting:
    """A painted panel.

    Attributes:
        width, height: of the view box.
        body: the SVG's content in the light theme, token colours as light hexes.
        page: the same, its colours following the page's theme.
    """

    width: int
    height: int
    body: str
    page: str

    def inline(self) -> str:
        """Return the SVG for the page; it scales with its box.

        It is hidden from assistive technology, because the panel around it is the labelled image.
        """
        return (
            f'<svg viewBox="0 0 {self.width} {self.height}" font-family="{chart_font()}" '
            f'aria-hidden="true" focusable="false">{self.page}</svg>'
        )


@cache
def painter() -> None:
    """Hand the book's faces to vl-convert, once: it measures and paints with them."""
    vl_convert.register_font_directory(str(painter_fonts()))


def paint(source: SimSource, compiled: CompiledPanel, frame: Mapping[str, Any]) -> Painting:
    """Paint one panel with the tables of `frame` (the JSON form).

    Raises:
        RenderError: Vega refuses the chart, or the picture does not fit its size.
    """
    painter()
    vega = copy.deepcopy(compiled.vega)
    for data in vega.get("data", []):
        if data["name"] in compiled.tables:
            data["values"] = rows(frame["tables"][data["name"]])
    root = _draw(source, compiled, vega)
    body = _body(root)
    if mixed_colors(root):
        _follow_theme(root, _draw(source, compiled, in_dark(vega)))
    return Painting(compiled.panel.width, compiled.panel.height, body, themed(_body(root)))


def _draw(source: SimSource, compiled: CompiledPanel, vega: dict[str, Any]) -> ET.Element:
    """Return Vega's picture, slimmed."""
    panel = compiled.panel
    try:
        root = ET.fromstring(vl_convert.vega_to_svg(vega))
    except (ValueError, ET.ParseError) as error:
        raise RenderError(source.charts_file, f"panel {panel.name}: Vega cannot draw it: {error}") from None
    across, down = _plot(root)
    if min(across, down) < LEAST_PLOT:
        raise RenderError(
            source.charts_file,
            f"panel {panel.name}: its axes and legends leave the plot {across:g} × {down:g} of "
            f"{panel.width} × {panel.height}; {LEAST_PLOT} each way is the least: enlarge the panel or "
            "shorten their text",
        )
    slim(root)
    rename_ids(root, f"{source.slug}-{panel.name}-")
    return root


def _plot(root: ET.Element) -> tuple[float, float]:
    """Return the width and height that axes and legends leave for the marks."""
    ground = next(e for e in root.iter(f"{{{SVG}}}path") if e.get("class") == "background")
    found = re.search(r"h([\d.]+)v([\d.]+)", ground.get("d", ""))
    return (float(found[1]), float(found[2])) if found else (0.0, 0.0)


def _body(root: ET.Element) -> str:
    text = "".join(ET.tostring(child, encoding="unicode") for child in root)
    # The root that will hold the body declares them.
    return text.replace(f' xmlns="{SVG}"', "").replace(f' xmlns:xlink="{XLINK}"', "")


def _follow_theme(light: ET.Element, dark: ET.Element) -> None:
    """Give each mixed colour (of a ramp, say) its dark counterpart, taken from the dark picture."""
    for one, other in zip(light.iter(), dark.iter(), strict=True):
        styles = [
            f"{name}:light-dark({one.attrib[name]},{other.attrib[name]})"
            for name in PAINTS
            if is_mixed(one.get(name)) and one.get(name) != other.get(name)
        ]
        if styles:
            # The attribute stays: a browser that does not know light-dark() shows the light colour.
            one.set("style", ";".join(styles))


def rows(table: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """Turn columns into the rows that Vega reads."""
    names = list(table)
    return [dict(zip(names, row, strict=True)) for row in zip(*table.values(), strict=True)]
