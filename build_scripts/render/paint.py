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

from build_scripts.look import chart_font, painter_fonts, tokens
from build_scripts.render.errors import RenderError
from build_scripts.render.source import SimSource
from build_scripts.render.vega import CompiledPanel

__all__ = ["Painting", "paint", "painter"]

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
_DROPPED = {"class", "role", "pointer-events", "stroke-miterlimit"}
_DEFAULTS = {"opacity": "1", "font-family": "", "fill-opacity": "1", "stroke-opacity": "1"}
_LONG = re.compile(r"-?\d*\.\d{3,}(?:e-?\d+)?")
_GEOMETRY = ("d", "transform", "x", "y", "x2", "y2", "width", "height", "cx", "cy", "r", "x1", "y1")
_URL = re.compile(r"url\(#([^)]+)\)")

ET.register_namespace("", SVG)
ET.register_namespace("xlink", XLINK)


@dataclass(frozen=True)
class Painting:
    """A painted panel.

    Attributes:
        width, height: of the view box.
        body: the SVG's content with token colours as light hexes.
    """

    width: int
    height: int
    body: str

    def inline(self) -> str:
        """Return the SVG for the page: it scales with its box and takes the theme's colours.

        It is hidden from assistive technology, because the panel around it is the labelled image.
        """
        return (
            f'<svg viewBox="0 0 {self.width} {self.height}" font-family="{chart_font()}" '
            f'aria-hidden="true" focusable="false">{themed(self.body)}</svg>'
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
    panel = compiled.panel
    try:
        root = ET.fromstring(vl_convert.vega_to_svg(vega))
    except (ValueError, ET.ParseError) as error:
        raise RenderError(source.charts_file, f"panel {panel.name}: Vega cannot draw it: {error}") from None
    got = (round(float(root.get("width", 0))), round(float(root.get("height", 0))))
    if got != (panel.width, panel.height):
        raise RenderError(
            source.charts_file,
            f"panel {panel.name}: it must fit {panel.width} × {panel.height}, got {got[0]} × {got[1]}; "
            "its axes and legends leave the plot no room: enlarge the panel or shorten their text",
        )
    _slim(root)
    _rename_ids(root, f"{source.slug}-{panel.name}-")
    body = "".join(_text(child) for child in root)
    return Painting(panel.width, panel.height, body)


def rows(table: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """Turn columns into the rows that Vega reads."""
    names = list(table)
    return [dict(zip(names, row, strict=True)) for row in zip(*table.values(), strict=True)]


def themed(svg: str) -> str:
    """Replace each token's light hex by `var(--token, #hex)`."""
    for name, value in tokens().light.items():
        svg = re.sub(rf'(?<=["\s:]){value}(?=["\s;])', f"var(--{name}, {value})", svg)
    return svg


def _text(element: ET.Element) -> str:
    text = ET.tostring(element, encoding="unicode")
    # The root that holds the body declares them.
    return text.replace(f' xmlns="{SVG}"', "").replace(f' xmlns:xlink="{XLINK}"', "")


def _slim(element: ET.Element) -> None:
    """Drop what a still picture does not need: empty paths, roles, defaults, needless decimals."""
    children: list[ET.Element] = []
    for child in list(element):
        _slim(child)
        if _invisible(child):
            continue
        if child.tag == f"{{{SVG}}}g" and not child.attrib:
            children.extend(child)
        else:
            children.append(child)
    element[:] = children
    font = chart_font()
    for name, value in list(element.attrib.items()):
        default = font if name == "font-family" else _DEFAULTS.get(name)
        if name in _DROPPED or name.startswith("aria-") or value == default:
            del element.attrib[name]
        elif name in _GEOMETRY:
            element.set(name, _LONG.sub(lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), value))
    if element.get("transform") == "translate(0,0)":
        del element.attrib["transform"]


def _invisible(element: ET.Element) -> bool:
    if element.get("display") == "none":
        return True
    tag = element.tag.rpartition("}")[2]
    if tag == "g":
        return len(element) == 0
    return tag == "path" and (not element.get("d") or element.get("d") == "M0,0h0v0h0Z")


def _rename_ids(root: ET.Element, prefix: str) -> None:
    """Number the ids anew: several pictures stand in one page, and a rebuild gives the same ones."""
    new: dict[str, str] = {}
    for element in root.iter():
        if "id" in element.attrib:
            new[element.attrib["id"]] = f"{prefix}{len(new)}"
            element.set("id", new[element.attrib["id"]])
    for element in root.iter():
        for name, value in element.attrib.items():
            if "url(#" in value:
                element.set(name, _URL.sub(lambda m: f"url(#{new[m[1]]})", value))
            elif name.endswith("href") and value.startswith("#"):
                element.set(name, f"#{new[value[1:]]}")
