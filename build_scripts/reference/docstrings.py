"""Reads a docstring of the engine: what is claimed, then labelled sections.

A section is a title, alone on a line with its colon, and the indented lines after it. `Args`,
`Attributes` and `Raises` list items of the form `name: text` (or `x, y: text` for both at once);
`Examples` holds doctests, with prose in between; all others hold prose.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from textwrap import dedent

__all__ = ["Docstring", "Item", "Section", "read"]

LISTS = ("Args", "Attributes", "Raises")
_TITLE = re.compile(r"^(?P<title>[A-Z][a-z]+):$")
_ITEM = re.compile(r"^(?P<names>[*\w][\w.*]*(?:, [*\w][\w.*]*)*): *(?P<text>.*)$")


@dataclass(frozen=True)
class Item:
    """One entry of a list: the names before the colon, the text after it."""

    names: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Section:
    """A labelled part. A list has `items`, any other part has its `text`."""

    title: str
    text: str
    items: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Docstring:
    """A docstring in parts: the first paragraph, what follows it, and the sections in their order."""

    claim: str = ""
    body: str = ""
    sections: tuple[Section, ...] = field(default=())

    def section(self, title: str) -> Section | None:
        """Return the section of that title, or None."""
        return next((s for s in self.sections if s.title == title), None)


def read(text: str) -> Docstring:
    """Read a docstring.

    Raises:
        ValueError: a list holds a line that is no item, or a section comes twice.
    """
    lines = inspect.cleandoc(text).split("\n")
    starts = [i for i, line in enumerate(lines) if _TITLE.match(line) and _indented(lines, i + 1)]
    ends = [*starts[1:], len(lines)] if starts else []
    claim, _, body = "\n".join(lines[: starts[0] if starts else None]).strip().partition("\n\n")
    sections = tuple(_section(lines[i][:-1], lines[i + 1 : j]) for i, j in zip(starts, ends, strict=True))
    titles = [s.title for s in sections]
    if len(set(titles)) < len(titles):
        raise ValueError(f"each section may come once, got {', '.join(titles)}")
    return Docstring(claim, body.strip(), sections)


def _indented(lines: list[str], i: int) -> bool:
    return i < len(lines) and lines[i].startswith("    ")


def _section(title: str, lines: list[str]) -> Section:
    text = dedent("\n".join(lines)).strip("\n")
    if title not in LISTS:
        return Section(title, text)
    items: list[tuple[tuple[str, ...], list[str]]] = []
    for line in text.split("\n"):
        found = _ITEM.match(line)
        if found:
            items.append((tuple(found["names"].split(", ")), [found["text"]]))
        elif line.startswith("    ") or not line:
            items[-1][1].append(line.removeprefix("    "))
        else:
            raise ValueError(f"{title} must hold lines of the form `name: text`, got {line!r}")
    return Section(title, text, tuple(Item(names, "\n".join(said).strip()) for names, said in items))
