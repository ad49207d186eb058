"""The painted sim inside the page that embeds it, shown until the frame over it is ready.

A frame is fetched, parsed and painted after its page. Its picture is known at build, so the page
carries it too and shows it at its own first paint: the same markup under the same style sheet, in
a shadow root, inert and silent. When the frame says that it stands, `site.js` takes the cover away.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

from bs4 import BeautifulSoup, Tag

__all__ = ["cover", "cover_css"]

STYLE = Path(__file__).resolve().parents[2] / "sims" / "player" / "sim.css"
# What `hide=` names besides controls; sims/player/src/hide.ts has the same list.
PARTS = {
    "controls": ".sim-controls, .legends, .transport",
    "readouts": ".readouts",
    "actions": ".sim-actions",
    "title": ".sim-title",
    "formula": ".formula",
}
_REM = re.compile(r"(?<![\w.])(\d*\.?\d+)rem\b")


# While serving, a page is edited far more often than its sim; reading the sim takes a tenth of a second.
@lru_cache(maxsize=32)
def cover(main_html: str, hidden: frozenset[str], folder: str) -> str:
    """Return the cover of a sim at its defaults, as an element with a declarative shadow root.

    Args:
        main_html: the sim's rendered page.
        hidden: the names in the embed's `hide=`.
        folder: address of the sim's folder, relative to the page that embeds it, with a slash.
    """
    soup = BeautifulSoup(main_html, "html.parser")
    sim = soup.select_one("main.sim")
    if sim is None:
        raise ValueError("the sim's page has no <main class='sim'>; sims/player/main.html.j2 writes it")
    # The handles are the frame's alone.
    sim.name = "div"
    for name in ("data-sim", "data-state"):
        del sim[name]
    for tag in sim.select("noscript, script, .sim-code"):
        tag.decompose()
    _hide(sim, hidden)
    for tag in sim.select("[href], [src]"):
        for name in ("href", "src"):
            if tag.has_attr(name) and not str(tag[name]).startswith("#"):
                tag[name] = folder + str(tag[name])
    for tag in sim.select("h1"):
        tag.name = "p"
    for tag in sim.select("a[href]"):
        del tag["href"]
    for tag in sim.select("[role], [aria-label], [name], [for]"):
        for name in ("role", "aria-label", "name", "for"):
            if tag.has_attr(name):
                del tag[name]
    return (
        '<div class="embed-cover" aria-hidden="true" inert data-search-exclude>'
        f'<template shadowrootmode="open"><style>{cover_css()}</style>'
        f'<div class="page">{sim}</div></template></div>'
    )


def cover_css() -> str:
    """Return the player's style sheet for a shadow root: its own root sizes, the page's colours."""
    css = re.sub(r"/\*.*?\*/", "", STYLE.read_text(encoding="utf-8"), flags=re.S)
    css = re.sub(r"(?m)^html\b", ":host", css)
    css = re.sub(r"(?m)^body\b", ".page", css)
    # The book's rem is Material's, the frame's is the browser's 16 pixels.
    css = _REM.sub(lambda m: f"{float(m[1]) * 16:g}px", css)
    return re.sub(r"\s+", " ", ":host { all: initial; display: block; }\n" + css).strip()


def _hide(sim: Tag, hidden: Collection[str]) -> None:
    for name in hidden:
        selector = PARTS.get(name) or (f'[data-control="{name}"]' if name else "")
        for tag in sim.select(selector) if selector else []:
            tag["hidden"] = ""
    controls = sim.select_one(".sim-controls")
    if controls and not controls.select(".control:not([hidden])"):
        controls["hidden"] = ""
