"""Takes out of Vega's SVG what a still picture does not need, and makes its ids its own."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from build_scripts.look import chart_font

__all__ = ["SVG", "XLINK", "hoist", "join_lines", "paint_alone", "rename_ids", "slim"]

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
_DROPPED = {"class", "role", "pointer-events"}
_DEFAULTS = {"opacity": "1", "fill-opacity": "1", "stroke-opacity": "1", "transform": "translate(0,0)"}
_GEOMETRY = {"d", "transform", "x", "y", "x1", "y1", "x2", "y2", "width", "height", "cx", "cy", "r"}
_GROUP = f"{{{SVG}}}g"
_LINE = f"{{{SVG}}}line"
_PATH = f"{{{SVG}}}path"
_TEXT = f"{{{SVG}}}text"
_FAINT = {"opacity", "fill-opacity", "stroke-opacity"}
_SHIFT = re.compile(r"translate\((-?[\d.]+),(-?[\d.]+)\)")
_INHERITED = [
    *("fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin"),
    *("fill-opacity", "stroke-opacity", "font-size", "font-weight", "font-style", "text-anchor"),
]
_LONG = re.compile(r"-?\d*\.\d{3,}(?:e-?\d+)?")
_URL = re.compile(r"url\(#([^)]+)\)")

ET.register_namespace("", SVG)
ET.register_namespace("xlink", XLINK)


def slim(element: ET.Element) -> None:
    """Drop empty groups and paths, roles, defaults and needless decimals, in place."""
    for child in list(element):
        slim(child)
        if _invisible(child):
            element.remove(child)
    for name, value in list(element.attrib.items()):
        default = chart_font() if name == "font-family" else _DEFAULTS.get(name)
        if name in _DROPPED or name.startswith("aria-") or value == default:
            del element.attrib[name]
        elif name in _GEOMETRY or name in _FAINT:
            element.set(name, _LONG.sub(_short, value))
    moved = _SHIFT.fullmatch(element.get("transform", ""))
    if moved and element.tag == _TEXT and not len(element) and not {"x", "y"} & set(element.attrib):
        del element.attrib["transform"]
        element.set("x", moved[1])
        element.set("y", moved[2])


def paint_alone(root: ET.Element) -> None:
    """Write the opacity of a shape that has a fill or a stroke alone as that paint's, in place.

    The opacity of an element is a layer of its own to a browser, and a picture has hundreds of them.
    """
    for shape in root.iter():
        faint = shape.get("opacity")
        fill, stroke = (shape.get(name, "none") != "none" for name in ("fill", "stroke"))
        name = "fill-opacity" if fill else "stroke-opacity"
        if faint is not None and not len(shape) and fill != stroke and name not in shape.attrib:
            del shape.attrib["opacity"]
            shape.set(name, faint)


def join_lines(element: ET.Element) -> None:
    """Make one path of neighbouring lines that look alike: a sphere's net has hundreds of them."""
    joined: list[ET.Element] = []
    last: dict[str, str] | None = None
    for child in element:
        join_lines(child)
        piece = _piece(child)
        look = {name: value for name, value in child.attrib.items() if name not in _GEOMETRY}
        if piece and look == last:
            joined[-1].set("d", joined[-1].attrib["d"] + piece)
        elif piece:
            joined.append(ET.Element(_PATH, {"d": piece, **look}))
        else:
            joined.append(child)
        last = look if piece else None
    element[:] = joined


def _piece(line: ET.Element) -> str:
    """Return a line that is moved and not turned as a piece of a path, or nothing for anything else."""
    moved = _SHIFT.fullmatch(line.get("transform", "translate(0,0)"))
    if line.tag != _LINE or not moved or {"id", "style"} & set(line.attrib):
        return ""
    x1, y1, x2, y2 = (float(line.get(name, 0)) for name in ("x1", "y1", "x2", "y2"))
    x, y = float(moved[1]) + x1, float(moved[2]) + y1
    numbers = [_LONG.sub(_short, repr(value)) for value in (x, y, x2 - x1, y2 - y1)]
    numbers = [number.removesuffix(".0") for number in numbers]
    return "M{},{}l{},{}".format(*numbers)


def hoist(element: ET.Element) -> None:
    """Write what all children of a group share once, on the group, and dissolve groups that say nothing."""
    for child in element:
        hoist(child)
    if element.tag == _GROUP and len(element) > 1 and not any("style" in c.attrib for c in element):
        for name in _INHERITED:
            values = {child.get(name) for child in element}
            if len(values) == 1 and None not in values:
                element.set(name, str(values.pop()))
                for child in element:
                    del child.attrib[name]
    kept = [list(c) if c.tag == _GROUP and not c.attrib else [c] for c in element]
    element[:] = [c for part in kept for c in part]


def rename_ids(root: ET.Element, prefix: str) -> None:
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


def _short(found: re.Match[str]) -> str:
    """Two decimals: a hundredth of a design pixel."""
    text = f"{float(found[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _invisible(element: ET.Element) -> bool:
    if element.get("display") == "none":
        return True
    tag = element.tag.rpartition("}")[2]
    if tag == "g":
        return len(element) == 0
    return tag == "path" and element.get("d", "") in ("", "M0,0h0v0h0Z")
