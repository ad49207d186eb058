"""How wide text is, and on how many lines it breaks, from the book's own faces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from build_scripts.look import painter_fonts
from build_scripts.look.faces import faces

__all__ = ["lines", "rows", "width"]

# Source Serif 4 at 600 over 400, and the title's letter-spacing.
SERIF_BOLD = 1.006
_WORDS = re.compile(r"\S+")


def width(text: str, face: str, size: float) -> float:
    """Return the width of `text` in pixels.

    Args:
        face: "sans-400", "sans-500", "sans-600", "serif-400" or "serif-600".
        size: in pixels.
    """
    advances, missing = _advances(face)
    return size * sum(advances.get(ord(c), missing) for c in text)


def lines(text: str, face: str, size: float, room: float) -> int:
    """Return on how many lines `text` breaks in `room` pixels; 1 at least."""
    space = width(" ", face, size)
    count, used = 1, 0.0
    for word in _WORDS.findall(text):
        wide = width(word, face, size)
        if used and used + space + wide > room:
            count, used = count + 1, wide
        else:
            used += wide + (space if used else 0)
    return count


def rows(widths: Iterable[float], gap: float, room: float) -> int:
    """Return on how many rows boxes of these widths stand when they wrap; 1 at least."""
    count, used = 1, 0.0
    for wide in widths:
        if used and used + gap + wide > room:
            count, used = count + 1, wide
        else:
            used += wide + (gap if used else 0)
    return count


@cache
def _advances(face: str) -> tuple[dict[int, float], float]:
    """Advance of each character in em, and that of one the face lacks."""
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # ships no types

    family, weight = face.split("-")
    if family == "sans":
        files, scale = [painter_fonts() / f"IBMPlexSans-{weight}.ttf"], 1.0
    else:
        files = [f.file for f in faces() if f.family.startswith("Source Serif") and f.style == "normal"]
        scale = SERIF_BOLD if weight == "600" else 1.0
    found: dict[int, float] = {}
    for path in files:
        font = TTFont(path)
        metrics, em = font["hmtx"], font["head"].unitsPerEm
        for code, glyph in font.getBestCmap().items():
            found.setdefault(code, scale * metrics[glyph][0] / em)
    return found, found[ord("n")]
