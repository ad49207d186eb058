"""Fixes where a panel's plot lies, once, for every state: axes hold still while a control moves.

Left to itself Vega lays each picture out anew: the plot gives way when a label grows, and the
page's Vega may round the last pixel otherwise than the build's. So the build draws the panel in
states from all over the controls, takes the largest margins, and writes them into the spec.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from build_scripts.render.draw import draw, filled
from build_scripts.render.errors import RenderError
from build_scripts.render.slim import SVG
from build_scripts.render.source import SimSource
from build_scripts.render.vega import CompiledPanel

__all__ = ["LEAST_PLOT", "settle"]

LEAST_PLOT = 40
_PLACE = re.compile(r"translate\(([-\d.]+),([-\d.]+)\)")
_SIZE = re.compile(r"h([\d.]+)v([\d.]+)")


def settle(source: SimSource, compiled: CompiledPanel, frames: Iterable[Mapping[str, Any]]) -> CompiledPanel:
    """Return the panel with fixed margins, the largest that any of `frames` (JSON form) needs.

    Raises:
        RenderError: Vega refuses a frame, or axes and legends leave the marks no room.
    """
    panel = compiled.panel
    # Only the tables that the panel reads can move it.
    unlike = {json.dumps([frame["tables"][t] for t in compiled.tables]): frame for frame in frames}
    pictures = (draw(source, compiled, filled(compiled, frame)) for frame in unlike.values())
    sides = [_margins(picture, panel.width, panel.height) for picture in pictures]
    left, top, right, bottom = (max(side) for side in zip(*sides, strict=True))
    width, height = panel.width - left - right, panel.height - top - bottom
    if min(width, height) < LEAST_PLOT:
        raise RenderError(
            source.charts_file,
            f"panel {panel.name}: its axes and legends leave the plot {width:g} × {height:g} of "
            f"{panel.width} × {panel.height}; {LEAST_PLOT} each way is the least: enlarge the panel or "
            "shorten their text",
        )
    padding = {"left": left, "top": top, "right": right, "bottom": bottom}
    fixed = {"width": width, "height": height, "padding": padding, "autosize": {"type": "none"}}
    return replace(compiled, vega={**compiled.vega, **fixed})


def _margins(root: ET.Element, across: int, down: int) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of what Vega leaves around the plot."""
    place = next(m for e in root.iter(f"{{{SVG}}}g") if (m := _PLACE.match(e.get("transform", ""))))
    ground = next(e for e in root.iter(f"{{{SVG}}}path") if e.get("class") == "background")
    size = _SIZE.search(ground.get("d", ""))
    width, height = (float(size[1]), float(size[2])) if size else (0.0, 0.0)
    left, top = float(place[1]), float(place[2])
    return left, top, max(0.0, across - left - width), max(0.0, down - top - height)
