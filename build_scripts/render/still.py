"""Panels as images, for the cover of an embed: a browser lays out one box, not every mark and label."""

from __future__ import annotations

from build_scripts.look import chart_font, tokens
from build_scripts.render.paint import Painting
from build_scripts.render.painter import svg_to_webp
from build_scripts.render.slim import SVG, XLINK

__all__ = ["DENSE", "is_dense", "still_name", "stills"]

# Elements of a picture from which an image is quicker than its marks.
DENSE = 60
# Image pixels a design pixel: a panel is shown at up to 1.25 of its size, on screens of up to double density.
_SCALE = 2.0


def is_dense(elements: int) -> bool:
    """Whether a panel with so many elements has stills."""
    return elements > DENSE


def still_name(panel: str, *, dark: bool = False) -> str:
    """Return the address of a panel's still, from the sim's folder."""
    return f"stills/{panel}{'-dark' if dark else ''}.webp"


def stills(panel: str, painting: Painting) -> dict[str, bytes]:
    """Return the still of a dense panel in both themes, by address; nothing for any other panel."""
    if not is_dense(painting.body.count("<") - painting.body.count("</")):
        return {}
    light, dark = tokens().light["panel"], tokens().dark["panel"]
    return {
        still_name(panel): svg_to_webp(_whole(painting, painting.body, light), _SCALE),
        still_name(panel, dark=True): svg_to_webp(_whole(painting, painting.dark, dark), _SCALE),
    }


def _whole(painting: Painting, body: str, ground: str) -> str:
    return (
        f'<svg xmlns="{SVG}" xmlns:xlink="{XLINK}" width="{painting.width}" height="{painting.height}" '
        f'viewBox="0 0 {painting.width} {painting.height}" font-family="{chart_font()}">'
        f'<rect width="100%" height="100%" fill="{ground}"/>{body}</svg>'
    )
