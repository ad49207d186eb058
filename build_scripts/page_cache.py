"""Keeps what was made of each page between two builds of one `mkdocs serve`, so that an edit costs one page.

A page's HTML is kept under a hash of its Markdown and of what all pages may refer to, and with it
the state of the sims that it asked for: after the edit of a sim, the pages that speak of it are
rendered again and no others. What the search says of a page is kept under a hash of its content.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from build_scripts.markdown import Book

__all__ = ["PageCache", "Surroundings"]

# What MkDocs's Page.render leaves on the page.
_RENDERED = ("content", "toc", "_title_from_render", "present_anchor_ids", "links_to_anchors")
# This prints which pages cite what.
_OF_OTHERS = "{bibliography}"


class Surroundings:
    """The state of everything outside a page that its rendering depends on.

    Attributes:
        all: a hash of what every page may depend on: engine, syntax, sources, and which pages there are.
    """

    def __init__(self, root: Path, files: Files, book: Book) -> None:
        self._root = root
        self._sims: dict[str, str] = {}
        there = [sorted(f.src_uri for f in files), book.slugs, book.measure is not None]
        digest = hashlib.sha256(json.dumps(there).encode())
        for place in ("sim_engine", "build_scripts"):
            digest.update(_state(root / place).encode())
        for path in (root / "docs" / "references.bib", root / "mkdocs.yml"):
            digest.update(path.read_bytes())
        self.all = digest.hexdigest()

    def sim(self, slug: str) -> str:
        """Return a hash of a sim: its folder, and the page that was rendered from it."""
        if slug not in self._sims:
            rendered = self._root / "build" / "sims" / slug
            self._sims[slug] = _state(self._root / "sims" / slug) + _state(rendered)
        return self._sims[slug]


class PageCache:
    """Rendered pages and their entries in the search, for as long as nothing behind them changes."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, str]]] = {}
        self._entries: dict[str, list[Any]] = {}
        self._used: set[str] = set()

    def attach(self, page: Page, book: Book, around: Surroundings) -> None:
        """Make `page.render` look here first."""
        render: Callable[[MkDocsConfig, Files], None] = page.render

        def look_first(config: MkDocsConfig, files: Files) -> None:
            text = page.markdown or ""
            source = book.current()
            others = json.dumps([book.pages, book.cited_in]) if _OF_OTHERS in text else ""
            key = _hash(around.all, page.file.src_uri, source.text, text, others)
            if key in self._pages:
                rendered, said, sims = self._pages[key]
                if all(around.sim(slug) == state for slug, state in sims.items()):
                    page.__dict__.update(copy.copy(rendered))
                    source.cited, source.shown = list(said["cited"]), list(said["shown"])
                    self._used.add(key)
                    return
            before = len(book.problems)
            book.asked.clear()
            render(config, files)
            if len(book.problems) == before:
                rendered = {name: page.__dict__[name] for name in _RENDERED if name in page.__dict__}
                said = {"cited": list(source.cited), "shown": list(source.shown)}
                self._pages[key] = rendered, said, {slug: around.sim(slug) for slug in sorted(book.asked)}
                self._used.add(key)

        page.render = look_first  # type: ignore[method-assign]  # for this page alone

    def entries(self, page: Page) -> tuple[str, list[Any] | None]:
        """Return a key for the page's content, and its entries in the search if these are known."""
        key = _hash(page.url, str(page.title), json.dumps(page.meta, default=str), page.content or "")
        self._used.add(key)
        return key, self._entries.get(key)

    def keep_entries(self, key: str, entries: list[Any]) -> None:
        """Keep what the search made of a page."""
        self._entries[key] = entries

    def forget_unused(self) -> None:
        """Drop what no build has used since this was called last."""
        self._pages = {k: v for k, v in self._pages.items() if k in self._used}
        self._entries = {k: v for k, v in self._entries.items() if k in self._used}
        self._used.clear()


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _state(folder: Path) -> str:
    """Return a hash of a folder's files, told by name, time and size; of Markdown the front matter alone."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.suffix == ".pyc":
            continue
        if path.suffix == ".md":  # of a sim's page only the front matter is seen elsewhere
            digest.update(path.read_bytes().split(b"\n---", 1)[0])
        else:
            stat = path.stat()
            digest.update(f"{path}{stat.st_mtime_ns}{stat.st_size}".encode())
    return digest.hexdigest()
