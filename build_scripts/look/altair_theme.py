"""The look of every chart: quiet axes, the book's face and colours, direct labels."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import altair as alt

from build_scripts.look.tokens import CLASSES, color, tokens

__all__ = ["THEME", "altair_theme", "chart_font", "use_in_altair"]

THEME = "book"


def chart_font() -> str:
    """Return the faces of chart text as one CSS list without quotes, fit for an SVG attribute."""
    return tokens().font["figure"].replace("'", "")


def altair_theme() -> dict[str, Any]:
    """Return the Vega-Lite configuration of the book's charts.

    The y title lies above its axis, read without turning the head; only the y grid is drawn; no
    box stands around the picture. Colours are light hexes, which the page re-colours.
    """
    size = tokens().size
    label, title = int(size["chart-label"]), int(size["chart-title"])
    ink, soft, rule = color("ink"), color("ink-soft"), color("rule")
    font = chart_font()
    text = {"labelFont": font, "labelFontSize": label, "titleFont": font, "titleFontSize": label}
    axis = {
        **text,
        "labelColor": soft,
        "titleColor": soft,
        "titleFontWeight": 500,
        "domainColor": rule,
        "tickColor": rule,
        "gridColor": color("grid"),
        "labelPadding": 5,
        "tickSize": 4,
        "titlePadding": 8,
    }
    beside = {"titleAngle": 0, "titleAnchor": "end", "titleBaseline": "bottom", "titleY": -7}
    bare = {"domain": False, "ticks": False}
    return {
        "config": {
            "background": None,
            "padding": 6,
            # The picture is one image with a label and a sentence; a voice per mark would be noise.
            "aria": False,
            "font": font,
            "view": {"stroke": None, "fill": None},
            "axis": axis,
            "axisX": {"grid": False},
            "axisLeft": {**bare, **beside, "titleAlign": "left", "titleX": -2},
            "axisRight": {**bare, **beside, "titleAlign": "right", "titleX": 2},
            "axisXDiscrete": {"labelAngle": 0},
            "axisYDiscrete": {"grid": False},
            "legend": {
                **text,
                "labelColor": soft,
                "titleColor": soft,
                "titleFontWeight": 500,
                "orient": "top",
                "symbolStrokeWidth": 2,
                "padding": 0,
            },
            "header": {**text, "labelColor": soft, "titleColor": soft},
            "title": {"font": font, "fontSize": title, "fontWeight": 600, "color": ink, "anchor": "start"},
            "mark": {"color": color("accent")},
            "arc": {"stroke": color("panel")},
            "area": {"fillOpacity": 0.18},
            "bar": {"cornerRadiusEnd": 2},
            "circle": {"size": 44, "opacity": 0.9},
            "line": {"strokeWidth": 2.25, "strokeCap": "round", "strokeJoin": "round"},
            "point": {"filled": True, "size": 44, "opacity": 0.9},
            "rule": {"color": soft, "strokeWidth": 1},
            "square": {"size": 44, "opacity": 0.9},
            "text": {"font": font, "fontSize": label, "color": ink},
            "tick": {"color": soft, "thickness": 1.5},
            "range": {
                "category": [color(name) for name in CLASSES],
                "diverging": [color("positive"), color("panel"), color("anchor")],
                "heatmap": [color("accent-wash"), color("accent")],
                "ordinal": [color("accent-wash"), color("accent")],
                "ramp": [color("accent-wash"), color("accent")],
            },
        }
    }


@cache
def use_in_altair() -> str:
    """Register the theme with Altair, once, and return its name for `alt.theme.enable`."""
    alt.theme.register(THEME, enable=False)(lambda: cast(alt.theme.ThemeConfig, altair_theme()))
    return THEME
