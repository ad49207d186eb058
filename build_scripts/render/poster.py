"""The poster: all panels of the default frame as one picture, for cards, previews and print."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape

from build_scripts.look import chart_font, color
from build_scripts.render.paint import Painting
from build_scripts.render.painter import svg_to_png
from build_scripts.render.slim import SVG, XLINK

__all__ = ["WIDTH", "Tile", "poster_png", "poster_svg"]

WIDTH = 1200
COLUMN = 420.0
GAP = 28.0
MARGIN = 28.0
TITLE = 30.0


@dataclass(frozen=True)
class Tile:
    """A panel of the poster.

    Attributes:
        title, span: as in the panel.
        picture: the painting, or a PNG with its width and height in pixels.
    """

    title: str
    span: int
    picture: Painting | tuple[bytes, int, int]

    def size(self) -> tuple[int, int]:
        """Width and height of the picture in its own units."""
        if isinstance(self.picture, Painting):
            return self.picture.width, self.picture.height
        return self.picture[1], self.picture[2]

    def svg(self) -> str:
        """Return the picture's own SVG content."""
        if isinstance(self.picture, Painting):
            return self.picture.body
        data, width, height = self.picture
        url = "data:image/png;base64," + base64.b64encode(data).decode()
        # Small recorded images are shown as the pixels they are.
        crisp = ' style="image-rendering: pixelated"' if width < COLUMN else ""
        return f'<image width="{width}" height="{height}" href="{url}" xlink:href="{url}"{crisp}/>'


def poster_svg(tiles: list[Tile], title: str, alt: str) -> str:
    """Return a standalone SVG in the light theme, in two columns like the page."""
    rows = _rows(tiles)
    across = max(sum(t.span for t in row) for row in rows)
    width = 2 * MARGIN + across * COLUMN + (across - 1) * GAP
    parts: list[str] = []
    y = MARGIN
    for row in rows:
        x, tallest = MARGIN, 0.0
        for tile in row:
            wide = tile.span * COLUMN + (tile.span - 1) * GAP
            if across == 1:
                wide = COLUMN
            w, h = tile.size()
            scale = wide / w
            parts.append(
                f'<text x="{x:g}" y="{y + 15:g}" font-size="15" font-weight="600" '
                f'fill="{color("ink")}">{escape(tile.title)}</text>'
                f'<svg x="{x:g}" y="{y + TITLE:g}" width="{wide:g}" height="{h * scale:g}" '
                f'viewBox="0 0 {w} {h}">{tile.svg()}</svg>'
            )
            tallest = max(tallest, h * scale)
            x += wide + GAP
        y += TITLE + tallest + GAP
    height = y - GAP + MARGIN
    return (
        f'<svg xmlns="{SVG}" xmlns:xlink="{XLINK}" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" font-family="{chart_font()}" role="img" '
        f'aria-labelledby="t d"><title id="t">{escape(title)}</title><desc id="d">{escape(alt)}</desc>'
        f'<rect width="100%" height="100%" fill="{color("panel")}"/>{"".join(parts)}</svg>\n'
    )


def poster_png(svg: str) -> bytes:
    """Return the poster as a PNG, `WIDTH` pixels wide, painted with the book's own faces."""
    natural = float(svg.split('width="', 1)[1].split('"', 1)[0])
    return svg_to_png(svg, WIDTH / natural)


def _rows(tiles: list[Tile]) -> list[list[Tile]]:
    """Fill rows of two columns in order; a panel that does not fit begins the next row."""
    rows: list[list[Tile]] = []
    free = 0
    for tile in tiles:
        if tile.span > free:
            rows.append([])
            free = 2
        rows[-1].append(tile)
        free -= tile.span
    return rows
