"""Keeps rendered pages between two builds of one `mkdocs serve`, so that an edit costs one page."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from build_scripts.markdown import Book

__all__ = ["PageCache", "surroundings"]

# What MkDocs's Page.render leaves on the page.
_RENDERED = ("content", "toc", "_title_from_render", "present_anchor_ids", "links_to_anchors")
# These print what stands in other pages.
_OF_OTHERS = re.compile(r"\{(?:bibliography|gallery)\}")


class PageCache:
    """Rendered pages by a hash of their Markdown and of all that it may refer to."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
        self._used: set[str] = set()

    def attach(self, page: Page, book: Book, around: str) -> None:
        """Make `page.render` look here first.

        Args:
            around: a hash of everything outside the page that its rendering depends on.
        """
        render: Callable[[MkDocsConfig, Files], None] = page.render

        def look_first(config: MkDocsConfig, files: Files) -> None:
            text = page.markdown or ""
            source = book.current()
            key = hashlib.sha256(f"{around}\0{page.file.src_uri}\0{source.text}\0{text}".encode()).hexdigest()
            if key in self._kept:
                rendered, said = self._kept[key]
                page.__dict__.update(copy.copy(rendered))
                source.cited, source.shown = list(said["cited"]), list(said["shown"])
                self._used.add(key)
                return
            before = len(book.problems)
            render(config, files)
            if len(book.problems) == before and not _OF_OTHERS.search(text):
                rendered = {name: page.__dict__[name] for name in _RENDERED if name in page.__dict__}
                self._kept[key] = rendered, {"cited": list(source.cited), "shown": list(source.shown)}
                self._used.add(key)

        page.render = look_first  # type: ignore[method-assign]  # for this page alone

    def forget_unused(self) -> None:
        """Drop what the last build did not use."""
        self._kept = {k: v for k, v in self._kept.items() if k in self._used}
        self._used.clear()


def surroundings(root: Path, files: Files, *, measured: bool) -> str:
    """Return a hash of what pages refer to: sims, engine, syntax, sources, and which pages there are."""
    digest = hashlib.sha256(json.dumps([sorted(f.src_uri for f in files), measured]).encode())
    for place in ("sims", "sim_engine", "build_scripts"):
        for path in sorted((root / place).rglob("*")):
            if not path.is_file() or path.suffix == ".pyc" or "player" in path.parts:
                continue
            if path.suffix == ".md":  # of a sim's page only the front matter is seen elsewhere
                digest.update(path.read_bytes().split(b"\n---", 1)[0])
            else:
                stat = path.stat()
                digest.update(f"{path}{stat.st_mtime_ns}{stat.st_size}".encode())
    for path in (root / "docs" / "references.bib", root / "mkdocs.yml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()
