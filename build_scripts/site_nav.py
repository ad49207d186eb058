"""The book's table of contents, from what lies in `docs/` and `sims/`: adding a page touches no list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["contents"]

PARTS = {
    "chapters": "Chapters",
    "sims": "Sims",
    "notebooks": "Notebooks",
    "instructors": "For instructors",
    "reference": "API reference",
    "develop": "Develop",
}

# The reference goes from the formula to the figure; a page that is not named here comes after these.
FAMILIES = (
    "losses",
    "floors",
    "similarity",
    "metrics",
    "projection",
    "augment",
    "encoders",
    "train",
    "microsim",
    "data",
)


def contents(pages: Iterable[str]) -> list[Any]:
    """Return MkDocs' `nav` for the pages (paths from the root of the book's sources).

    A part's `index` comes first, the others by path (those of the reference by family); a part
    without pages is left out, and so is a page at the root other than `index.md` and `references.md`.
    """
    known = sorted(pages)
    nav: list[Any] = []
    if "index.md" in known:
        nav.append({"Home": "index.md"})
    for folder, title in PARTS.items():
        inside = [p for p in known if p.startswith(f"{folder}/")]
        inside.sort(key=lambda p: (not p.startswith(f"{folder}/index."), _family(p), p))
        if inside:
            nav.append({title: inside})
    if "references.md" in known:
        nav.append({"References": "references.md"})
    return nav


def _family(page: str) -> int:
    """Return the place of a page of the reference among its families; 0 for any other page."""
    folder, _, name = page.removesuffix(".md").partition("/")
    if folder != "reference":
        return 0
    return FAMILIES.index(name) if name in FAMILIES else len(FAMILIES)
