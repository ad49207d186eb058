"""Vega's picture of a panel with the tables of a frame, as an element tree."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from build_scripts.render.errors import RenderError
from build_scripts.render.painter import vega_to_svg
from build_scripts.render.source import SimSource
from build_scripts.render.vega import CompiledPanel

__all__ = ["draw", "filled"]

Json = dict[str, Any]


def filled(compiled: CompiledPanel, frame: Mapping[str, Any]) -> Json:
    """Return the panel's Vega spec with the tables of `frame` (the JSON form) in place."""
    vega = copy.deepcopy(compiled.vega)
    for data in vega.get("data", []):
        if data["name"] in compiled.tables:
            data["values"] = _rows(frame["tables"][data["name"]])
    return vega


def draw(source: SimSource, compiled: CompiledPanel, vega: Json) -> ET.Element:
    """Return the picture of `vega`, a filled spec of the panel.

    Raises:
        RenderError: Vega refuses it.
    """
    try:
        return ET.fromstring(vega_to_svg(vega))
    except (ValueError, ET.ParseError) as error:
        name = compiled.panel.name
        raise RenderError(source.charts_file, f"panel {name}: Vega cannot draw it: {error}") from None


def _rows(table: Mapping[str, list[Any]]) -> list[Json]:
    """Turn columns into the rows that Vega reads."""
    names = list(table)
    return [dict(zip(names, row, strict=True)) for row in zip(*table.values(), strict=True)]
