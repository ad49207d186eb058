"""Colours of a painted picture: tokens become variables, mixtures of tokens a light and a dark value."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from functools import cache
from typing import Any

from build_scripts.look import tokens

__all__ = ["PAINTS", "darkened", "in_dark", "is_mixed", "mixed_colors", "themed"]

PAINTS = ("fill", "stroke", "stop-color")
_HEX = re.compile(r"#[0-9a-f]{6}\b", re.IGNORECASE)
_ATTRIBUTE = re.compile(r'(?<=")#[0-9a-f]{6}(?=")', re.IGNORECASE)


@cache
def _names() -> dict[str, str]:
    """Light hex to token name."""
    return {value: name for name, value in tokens().light.items()}


def themed(svg: str) -> str:
    """Replace each token's light hex in an attribute by `var(--token, #hex)`."""

    def variable(found: re.Match[str]) -> str:
        value = found[0].lower()
        return f"var(--{_names()[value]}, {value})" if value in _names() else found[0]

    return _ATTRIBUTE.sub(variable, svg)


def in_dark(vega: dict[str, Any]) -> dict[str, Any]:
    """Return the Vega spec with each token's light hex in its dark value, as the player does it."""
    result: dict[str, Any] = json.loads(darkened(json.dumps(vega)))
    return result


def darkened(text: str) -> str:
    """Return a picture's text with each token's light hex in its dark value."""

    def dark(found: re.Match[str]) -> str:
        name = _names().get(found[0].lower())
        return tokens().dark[name] if name else found[0]

    return _HEX.sub(dark, text)


def is_mixed(value: str | None) -> bool:
    """Return whether an attribute holds a colour that is no token: a step of a ramp, say."""
    return value is not None and (
        value.startswith("rgb") or (value.startswith("#") and value not in _names())
    )


def mixed_colors(root: ET.Element) -> bool:
    """Return whether any colour of the picture is no token."""
    return any(is_mixed(e.get(name)) for e in root.iter() for name in PAINTS)
