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
    "develop": "Develop",
}


def contents(pages: Iterable[str]) -> list[Any]:
    """Return MkDocs' `nav` for the pages (paths from the root of the book's sources).

    A part's `index` comes first, the others by path; a part without pages is left out, and so is
    a page at the root other than `index.md` and `references.md`.
    """
    known = sorted(pages)
    nav: list[Any] = []
    if "index.md" in known:
        nav.append({"Home": "index.md"})
    for folder, title in PARTS.items():
        inside = [p for p in known if p.startswith(f"{folder}/")]
        inside.sort(key=lambda p: (not p.startswith(f"{folder}/index."), p))
        if inside:
            nav.append({title: inside})
    if "references.md" in known:
        nav.append({"References": "references.md"})
    return nav
