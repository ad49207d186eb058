"""The painted sim inside the page that embeds it, shown until the frame over it is ready.

A frame is fetched, parsed and painted after its page. Its picture is known at build, so the page
carries it too and shows it at its own first paint: the same markup under the same style sheet, in
a shadow root, inert and silent. When the frame says that it stands, `site.js` takes the cover away.

A cover is title and pictures, and of the style sheet what these need. Controls that nobody can use
yet would take longer to lay out than all the rest; they stand below, and come with the frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import tinycss2  # type: ignore[import-untyped]  # ships no types
from bs4 import BeautifulSoup

from build_scripts.render.still import is_dense, still_name

__all__ = ["cover", "cover_css"]

STYLE = Path(__file__).resolve().parents[2] / "sims" / "player" / "sim.css"
# Under the first of two panels a narrow sim has its transport; the second has another place then.
_NARROW = (
    '@container page (width < 45rem) { [data-narrow="lead"] .panel + .panel { display: none; } }'
    " picture img { visibility: var(--still, visible); }"
)
_KEPT = ".sim-head, .sim-panels"
# Once the picture is on the screen, the sidebars may be laid out too: see overrides/main.html.
_SEEN = "<script>requestAnimationFrame(()=>setTimeout(()=>document.documentElement.dataset.seen=''))</script>"
_CLASS = re.compile(r"\.([A-Za-z_-][\w-]*)")
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
    kept = [tag.extract() for tag in sim.select(_KEPT)]
    if len(kept) != 2:
        raise ValueError(f"the sim's page must have one each of {_KEPT}; sims/player/main.html.j2 writes it")
    stage = soup.new_tag("div", attrs={"class": "sim-stage"})
    stage.append(kept[1])
    sim.clear()
    sim.extend([kept[0], stage])
    for tag in sim.select("[hidden]" + (", .sim-title" if "title" in hidden else "")):
        tag.decompose()
    for tag in sim.select("[src]"):
        tag["src"] = folder + str(tag["src"])
    for panel in sim.select("figure[data-panel]"):
        painted = panel.select_one(".painted svg")
        if painted and is_dense(len(painted.find_all())):
            painted.replace_with(_still(folder, str(panel["data-panel"])))
    for tag in sim.select("h1"):
        tag.name = "p"
    for tag in sim.select("[role], [aria-label]"):
        for name in ("role", "aria-label"):
            if tag.has_attr(name):
                del tag[name]
    page = BeautifulSoup(f'<div class="page">{sim}</div>', "html.parser")
    css, html = cover_css(page), _tight(str(page))
    return (
        '<div class="embed-cover" aria-hidden="true" inert data-search-exclude>'
        f'<template shadowrootmode="open"><style>{css}</style>{html}</template>{_SEEN}</div>'
    )


def _still(folder: str, panel: str) -> BeautifulSoup:
    """Return the image of a panel; site.css hides it where the reader chose the other theme."""
    light, dark = (folder + still_name(panel, dark=theme) for theme in (False, True))
    return BeautifulSoup(
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}"/>'
        f'<img alt="" decoding="sync" src="{light}"/></picture>',
        "html.parser",
    )


def cover_css(page: BeautifulSoup) -> str:
    """Return what a cover needs of the player's style sheet, for its shadow root.

    Root sizes are its own and colours the page's. Rules that no element of `page` meets are left out.
    """
    css = STYLE.read_text(encoding="utf-8") + _NARROW
    css = re.sub(r"(?m)^html\b", ":host", css)
    css = re.sub(r"(?m)^body\b", ".page", css)
    # The book's rem is Material's, the frame's is the browser's 16 pixels.
    css = _REM.sub(lambda m: f"{float(m[1]) * 16:g}px", css)
    sheet = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    there = {name for tag in page.find_all(class_=True) for name in tag["class"]}
    return _tight(":host{all:initial;display:block}" + "".join(_needed(sheet, page, there)))


def _needed(rules: list[Any], page: BeautifulSoup, there: set[str]) -> Iterator[str]:
    """Yield the rules that some element of the page meets, those inside at-rules too."""
    for rule in rules:
        if rule.type == "at-rule" and rule.lower_at_keyword in ("media", "container", "supports"):
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if found := "".join(_needed(inner, page, there)):
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{found}}}"
        elif rule.type != "qualified-rule" or _met(tinycss2.serialize(rule.prelude), page, there):
            yield rule.serialize()


def _met(selector: str, page: BeautifulSoup, there: set[str]) -> bool:
    """Whether an element meets the selector; nothing in a cover is hovered, focused or checked.

    Args:
        there: all classes in the page. A selector of others need not be looked for, which takes longest.
    """
    if ":host" in selector:
        return True
    plain = re.sub(r"::[\w-]+(\([^)]*\))?", "", selector)
    if re.search(r":(hover|active|focus|checked|disabled)", plain):
        return False
    if "(" not in plain and not any(set(_CLASS.findall(one)) <= there for one in plain.split(",")):
        return False
    return page.select_one(plain) is not None


def _tight(text: str) -> str:
    return re.sub(r">\s+<", "><", re.sub(r"\s+", " ", text)).strip()
