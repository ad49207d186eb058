"""The book's tokens: every colour, face, size and duration, read from `tokens.json` and checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["CLASSES", "Tokens", "color", "contrast", "tokens"]

TOKENS_FILE = Path(__file__).with_name("tokens.json")
CLASSES = tuple(f"class-{i}" for i in range(10))
_HEX = re.compile(r"^#[0-9a-f]{6}$")


@dataclass(frozen=True)
class Tokens:
    """What the book looks like.

    Attributes:
        light, dark: colour name to hex. Light hexes are unique: a painted picture's colours are
            told apart by them, and so can follow the theme.
        font, size, motion: name to CSS value; `size` keeps whole numbers (pixels) as numbers.

    Raises:
        ValueError: the file and the token that is wrong, what was wanted, what came.
    """

    light: Mapping[str, str]
    dark: Mapping[str, str]
    font: Mapping[str, str]
    size: Mapping[str, int | str]
    motion: Mapping[str, str]

    @classmethod
    def read(cls, path: Path = TOKENS_FILE) -> Tokens:
        """Read and check `path`."""
        raw = json.loads(path.read_text(encoding="utf-8"))
        colors: dict[str, Any] = raw["color"]
        for name, pair in colors.items():
            if not (isinstance(pair, list) and len(pair) == 2 and all(_HEX.match(str(h)) for h in pair)):
                raise ValueError(f"{path}: color {name} must be [light, dark] as #rrggbb, got {pair!r}")
        light = {n: pair[0] for n, pair in colors.items()}
        seen: dict[str, str] = {}
        for name, value in light.items():
            if value in seen:
                raise ValueError(
                    f"{path}: light hexes must be unique, got {value} for {seen[value]} and {name}; "
                    "change one of them by a digit"
                )
            seen[value] = name
        dark = {n: pair[1] for n, pair in colors.items()}
        return cls(light, dark, raw["font"], raw["size"], raw["motion"])


@cache
def tokens() -> Tokens:
    """Return the book's tokens, read once."""
    return Tokens.read()


def color(name: str) -> str:
    """Return the light hex of a token, the way charts write colours.

    Raises:
        ValueError: there is no such token.
    """
    light = tokens().light
    if name not in light:
        raise ValueError(f"there is no colour token {name!r}; there are {', '.join(light)}")
    return light[name]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two hexes, 1 to 21 (WCAG 2.2, 'contrast ratio').

    AA wants 4.5 for text and 3 for large text and for graphics.
    """
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(value: str) -> float:
    """Relative luminance of an sRGB hex (WCAG 2.2, 'relative luminance')."""
    if not _HEX.match(value):
        raise ValueError(f"a colour must be #rrggbb, got {value!r}")
    channels = [int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
