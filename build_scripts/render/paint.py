"""Paints a panel at build: a small SVG whose colours follow the page's theme."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from build_scripts.look import chart_font
from build_scripts.render.draw import draw, filled
from build_scripts.render.recolor import PAINTS, darkened, in_dark, is_mixed, mixed_colors, themed
from build_scripts.render.slim import SVG, XLINK, hoist, join_lines, paint_alone, rename_ids, slim
from build_scripts.render.source import SimSource
from build_scripts.render.vega import CompiledPanel

__all__ = ["Painting", "paint"]


@dataclass(frozen=True)
class Painting:
    """A painted panel.

    Attributes:
        width, height: of the view box.
        body: the SVG's content in the light theme, token colours as light hexes.
        dark: the same in the dark theme.
        page: the same, its colours following the page's theme.
    """

    width: int
    height: int
    body: str
    dark: str
    page: str

    def inline(self) -> str:
        """Return the SVG for the page; it scales with its box.

        It is hidden from assistive technology, because the panel around it is the labelled image.
        """
        return (
            f'<svg viewBox="0 0 {self.width} {self.height}" font-family="{chart_font()}" '
            f'aria-hidden="true" focusable="false">{self.page}</svg>'
        )


def paint(source: SimSource, compiled: CompiledPanel, frame: Mapping[str, Any]) -> Painting:
    """Paint one panel with the tables of `frame` (the JSON form).

    Raises:
        RenderError: Vega refuses the chart.
    """
    vega = filled(compiled, frame)
    light = _still(source, compiled, vega)
    page = copy.deepcopy(light)
    mixed = mixed_colors(page)
    if mixed:
        dark = _still(source, compiled, in_dark(vega))
        _follow_theme(page, dark)
    body = _body(light)
    return Painting(
        compiled.panel.width,
        compiled.panel.height,
        body,
        _body(dark) if mixed else darkened(body),
        themed(_body(page)),
    )


def _still(source: SimSource, compiled: CompiledPanel, vega: dict[str, Any]) -> ET.Element:
    root = draw(source, compiled, vega)
    slim(root)
    paint_alone(root)
    rename_ids(root, f"{source.slug}-{compiled.panel.name}-")
    return root


def _body(root: ET.Element) -> str:
    join_lines(root)
    hoist(root)
    text = "".join(ET.tostring(child, encoding="unicode") for child in root)
    # The root that will hold the body declares them.
    return text.replace(f' xmlns="{SVG}"', "").replace(f' xmlns:xlink="{XLINK}"', "").replace(" />", "/>")


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
