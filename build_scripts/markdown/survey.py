"""One look at every page: its title, and which sources it cites."""

from __future__ import annotations

import re
from collections.abc import Iterable
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
        text = path.read_text(encoding="utf-8")
        titles[url] = title_of(text, path)
        keys = {key for t in scan(text) if t.kind == "cite" for key, _ in keys_of(t.inside or "")}
        for key in sorted(keys):
            cited.setdefault(key, []).append((url, titles[url]))
    return titles, cited


def title_of(text: str, path: Path) -> str:
    """Return a page's title: its front matter's, else its first heading, else its folder's name."""
    try:
        front = FrontMatter.read(text).values.get("title")
    except ValueError:
        front = None  # reported where the page is built
    heading = _H1.search(text)
    return str(front or (heading[1] if heading else path.parent.name))
