"""The look of static figures: a matplotlib style made from the tokens, in light or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any, cast

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler

from build_scripts.look.faces import painter_fonts
from build_scripts.look.tokens import CLASSES, tokens

__all__ = ["Described", "book_style", "described", "style"]

FACE = "IBM Plex Sans"
# Points of a figure are CSS pixels of a page at this resolution, as SVG has it.
_POINTS_PER_PIXEL = 72 / 96
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_STYLESHEET = re.compile(r"<style.*?</style>", re.DOTALL)
_GROUP_NAME = re.compile(r'<g id="[^"]*">')
_SIZE = re.compile(r'<svg(?=[^>]*viewBox)(.*?) width="[^"]*" height="[^"]*"')


def style(theme: str = "light") -> dict[str, Any]:
    """Return matplotlib's settings in the book's colours, sizes and face.

    Quiet axes without a box, a horizontal grid, class colours as the cycle. Sizes are those of the
    interactive charts.

    Args:
        theme: light or dark.

    Raises:
        ValueError: another theme.
    """
    if theme not in ("light", "dark"):
        raise ValueError(f"theme must be light or dark, got {theme!r}")
    look = tokens()
    color = look.light if theme == "light" else look.dark
    label = int(look.size["chart-label"]) * _POINTS_PER_PIXEL
    title = int(look.size["chart-title"]) * _POINTS_PER_PIXEL
    return {
        "figure.facecolor": color["panel"],
        "savefig.facecolor": color["panel"],
        "figure.dpi": 96,
        "savefig.dpi": 192,
        "figure.constrained_layout.use": True,
        "font.family": FACE,
        "font.size": label,
        "mathtext.fontset": "dejavusans",
        "text.color": color["ink"],
        "axes.facecolor": color["panel"],
        "axes.edgecolor": color["rule"],
        "axes.labelcolor": color["ink-soft"],
        "axes.labelsize": label,
        "axes.titlesize": title,
        "axes.titleweight": 600,
        "axes.titlecolor": color["ink"],
        "axes.titlelocation": "left",
        "axes.titlepad": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.prop_cycle": cycler(color=[color[name] for name in CLASSES]),
        "grid.color": color["grid"],
        "grid.linewidth": 0.8,
        "xtick.color": color["rule"],
        "xtick.labelcolor": color["ink-soft"],
        "xtick.labelsize": label,
        "ytick.color": color["rule"],
        "ytick.labelcolor": color["ink-soft"],
        "ytick.labelsize": label,
        "ytick.left": False,
        "lines.linewidth": 1.9,
        "lines.solid_capstyle": "round",
        "lines.solid_joinstyle": "round",
        "lines.markersize": 4.5,
        "legend.frameon": False,
        "legend.fontsize": label,
        # Text stays text, and the same figure gives the same file.
        "svg.fonttype": "none",
        "svg.hashsalt": "learning-without-labels",
    }


@contextmanager
def book_style(theme: str = "light") -> Iterator[dict[str, str]]:
    """Draw in the book's look inside a `with`; yields the theme's colours by token name.

    Args:
        theme: light or dark.

    Raises:
        ValueError: another theme, or the book's face has not been installed (`npm ci`).
    """
    settings = style(theme)
    _register_face()
    with mpl.rc_context(cast(Any, settings)):
        look = tokens()
        yield dict(look.light if theme == "light" else look.dark)


@dataclass(frozen=True)
class Described:
    """A figure for a notebook: an inline picture that follows the page's theme, and its sentence.

    Attributes:
        svg: the picture; each colour is a token's property with the light hex as its fallback.
        alt: what the picture shows, for those who do not see it.
    """

    svg: str
    alt: str

    def __repr__(self) -> str:
        return self.alt

    def _repr_html_(self) -> str:
        label = f'role="img" aria-label="{escape(self.alt)}"'
        return f'<figure class="drawn" style="width: auto; margin: 1em 0 0" {label}>{self.svg}</figure>'


def described(figure: Figure, alt: str) -> Described:
    """Return `figure`, drawn in the light `book_style`, to be shown as a cell's result.

    Args:
        figure: what pyplot or `Figure` made; pyplot's copy is closed.
        alt: one sentence that says what the picture shows.

    Raises:
        ValueError: alt is empty.
    """
    if not alt.strip():
        raise ValueError("alt must say in a sentence what the figure shows, got an empty text")
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    text = buffer.getvalue()
    svg = _METADATA.sub("", text[text.index("<svg") :])
    # Matplotlib's stylesheet speaks of every element; inline it would speak of the whole page's.
    svg = _STYLESHEET.sub("", svg)
    svg = _GROUP_NAME.sub("<g>", svg)  # two figures on a page would share them
    width = figure.get_size_inches()[0] / _POINTS_PER_PIXEL * 72
    look = f"width: 100%; max-width: {width:g}px; height: auto; stroke-linejoin: round; stroke-linecap: butt"
    svg = _SIZE.sub(rf'<svg\1 aria-hidden="true" style="{look}"', svg, count=1)
    for name, value in tokens().light.items():
        svg = svg.replace(value, f"var(--{name}, {value})")
    return Described(svg, alt)


def _register_face() -> None:
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for path in sorted(painter_fonts().glob("IBMPlexSans-*.ttf")):
        if str(path) not in known:
            font_manager.fontManager.addfont(str(path))
