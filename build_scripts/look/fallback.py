"""Local faces with the metrics of ours, so that the swap to the loaded face moves no line."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FALLBACKS", "fallback_css"]


class _Metrics(NamedTuple):
    local: str  # `src` of the local face
    size: float  # mean advance of English text, ours over the local face's
    ascent: float  # of an em, ours
    descent: float


# Measured with fontTools: advances weighted by letter frequency (20 % spaces), hhea ascent and
# descent; the metric-compatible Liberation faces stand for Arial, Times New Roman and Courier New.
_ARIAL = "local('Arial'), local('Liberation Sans'), local('Helvetica')"
_TIMES = "local('Times New Roman'), local('Liberation Serif'), local('Times')"
FALLBACKS = {
    "IBM Plex Sans": _Metrics(_ARIAL, 0.45052 / 0.44433, 1.025, 0.275),
    "Source Serif 4 Variable": _Metrics(_TIMES, 0.48014 / 0.40256, 1.036, 0.335),
}


def fallback_css() -> str:
    """Return an `@font-face` named '<family> Fallback' for each family above."""
    rules = []
    for family, m in FALLBACKS.items():
        # The overrides are shares of the adjusted size, hence the division.
        rules.append(
            f"@font-face {{ font-family: '{family} Fallback'; src: {m.local}; size-adjust: {m.size:.2%}; "
            f"ascent-override: {m.ascent / m.size:.2%}; descent-override: {m.descent / m.size:.2%}; "
            "line-gap-override: 0%; }"
        )
    return "\n".join(rules)
