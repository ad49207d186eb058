"""How high a sim's page is at a given width, for the `height` of its embeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["page_height"]


def page_height(spec: Mapping[str, Any], width: int) -> int:
    """Return the estimated height of `main.html` in CSS pixels at `width`."""
    columns = 2 if width >= 680 and sum(p["span"] for p in spec["panels"]) > 1 else 1
    inner = width - 32
    column = (inner - 24 * (columns - 1)) / columns
    panels: float = (
        sum(column * p.get("height", 260) / p.get("width", 400) + 30 for p in spec["panels"]) / columns
    )
    return math.ceil(float(panels) + 60 * len(spec["controls"]) + 300)
