"""One look at every page: its title, and which sources it cites."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from build_scripts.markdown.citations import keys_of
from build_scripts.markdown.scan import scan
from build_scripts.markdown.source import FrontMatter

__all__ = ["survey", "title_of"]

_H1 = re.compile(r"^# +(.+?) *#* *$", re.M)


def survey(pages: Iterable[tuple[str, Path]]) -> tuple[dict[str, str], dict[str, list[tuple[str, str]]]]:
    """Return the title of each page by address, and (address, title) of the citing pages by key."""
    titles: dict[str, str] = {}
    cited: dict[str, list[tuple[str, str]]] = {}
    for url, path in sorted(pages):
        if path.suffix != ".md":
            continue
        titles[url], keys = _read(path.read_text(encoding="utf-8"), path)
        for key in keys:
            cited.setdefault(key, []).append((url, titles[url]))
    return titles, cited


# While serving, one page of many has changed.
@lru_cache(maxsize=1024)
def _read(text: str, path: Path) -> tuple[str, tuple[str, ...]]:
    """Return a page's title, and the keys of the sources that it cites."""
    keys = {key for t in scan(text) if t.kind == "cite" for key, _ in keys_of(t.inside or "")}
    return title_of(text, path), tuple(sorted(keys))


def title_of(text: str, path: Path) -> str:
    """Return a page's title: its front matter's, else its first heading, else its folder's name."""
    try:
        front = FrontMatter.read(text).values.get("title")
    except ValueError:
        front = None  # reported where the page is built
    heading = _H1.search(text)
    return str(front or (heading[1] if heading else path.parent.name))
