"""Writes a docstring as the book's Markdown: labels, lists of names, links to other public names."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from html import escape

import griffe

from build_scripts.reference.docstrings import LISTS, Docstring, Section

__all__ = ["Links", "claim", "index_line", "returned_by", "sections"]

LABELS = {"Args": "Arguments"}
_CODE = re.compile(r"^`(?P<name>[A-Za-z_][\w.]*)`$")
_ARXIV = re.compile(r"\barXiv:(?P<number>\d{4}\.\d{4,5})\b")
_BESIDE = re.compile(r"\\qquad\b")
# A shape stays in one line.
_SHAPE = re.compile(r"\([\w*]+(?:, [\w*]+)+,?\)")
# Links, code and formulas; what lies between is prose.
_APART = re.compile(r"(\[`[^`]*`\]\[[^]]*\]|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$)", re.S)


@dataclass(frozen=True)
class Links:
    """Which public name a word in backticks means.

    Attributes:
        known: address by address, the public one and that of the definition.
        module: the address of the module whose docstring it is; its own names come first.
        own: words that mean something nearer, such as a parameter of the function.
    """

    known: Mapping[str, str]
    module: str
    own: frozenset[str] = frozenset()

    def without(self, own: Collection[str]) -> Links:
        """Return the same with more words of one's own."""
        return replace(self, own=self.own | frozenset(own))

    def find(self, word: str) -> str | None:
        """Return the address of `nt_xent`, `floors.best` or `sim_engine.floors.best`; None if unsure."""
        if word in self.own:
            return None
        package = self.module.split(".")[0]
        for address in (f"{self.module}.{word}", f"{package}.{word}", word):
            if address in self.known:
                return self.known[address]
        elsewhere = {a for a in self.known.values() if a.endswith(f".{word}")}
        return elsewhere.pop() if len(elsewhere) == 1 else None

    def mark(self, text: str) -> str:
        """Link every word in backticks that names something public, and every arXiv number."""

        def one(found: re.Match[str]) -> str:
            address = self.find(found["name"])
            return f"[`{found['name']}`][{address}]" if address else found[0]

        return _typeset(text, lambda code: _CODE.sub(one, code))

    def annotation(self, expression: griffe.Expr | str) -> str:
        """Return a type as HTML, its public names linked."""
        if isinstance(expression, str):
            return escape(expression)
        out = []
        for part in expression.iterate(flat=True):
            text = escape(part.name if isinstance(part, griffe.ExprName) else str(part))
            address = self.known.get(part.canonical_path) if isinstance(part, griffe.ExprName) else None
            out.append(f'<autoref identifier="{address}" optional>{text}</autoref>' if address else text)
        return "".join(out)


def _typeset(text: str, code: Callable[[str], str] = str) -> str:
    """Set prose; `code` treats what is in backticks, formulas stay as they are."""
    pieces = _APART.split(text)
    pieces[::2] = [_prose(piece) for piece in pieces[::2]]
    pieces[1::2] = [_stacked(piece) if piece.startswith("$$") else code(piece) for piece in pieces[1::2]]
    return "".join(pieces)


def _stacked(formula: str) -> str:
    """Set formulas that stand side by side below each other, for a narrow column."""
    parts = _BESIDE.split(formula.strip("$"))
    if len(parts) == 1 or any(part.count("{") != part.count("}") or r"\begin" in part for part in parts):
        return formula
    rows = r" \\[0.6em] ".join(part.strip() for part in parts)
    return f"$$\\begin{{gathered}}{rows}\\end{{gathered}}$$"


def _prose(text: str) -> str:
    text = text.replace(" >= ", "\u00a0≥\u00a0").replace(" <= ", "\u00a0≤\u00a0")
    text = _SHAPE.sub(lambda found: found[0].replace(" ", "\u00a0"), text)
    return _ARXIV.sub(r"[arXiv:\g<number>](https://arxiv.org/abs/\g<number>)", text)


def claim(said: Docstring, links: Links) -> str:
    """Return what stands before the sections, as Markdown."""
    return "\n\n".join(links.mark(part) for part in (said.claim, said.body) if part)


def sections(said: Docstring, result: griffe.Expr | str | None, links: Links) -> str:
    """Return the sections as Markdown; `result` is the type that stands beside `Returns`."""
    parts = []
    for section in said.sections:
        beside = ""
        if section.title in ("Returns", "Yields") and result is not None:
            beside = f"<code>{links.annotation(result)}</code>"
        parts += [_label(section.title, beside), _content(section, links)]
    return "\n\n".join(parts)


def returned_by(addresses: Collection[str], links: Links) -> str:
    """Return the section of a class that is shown by the examples of what returns it; "" of none."""
    if not addresses:
        return ""
    package = links.module.split(".")[0]
    near = (f"{links.module}.", ".".join(links.module.split(".")[:2]) + ".", f"{package}.")
    named = []
    for address in addresses:
        short = next(address.removeprefix(prefix) for prefix in near if address.startswith(prefix))
        named.append(f"[`{short}`][{address}]")
    said = "whose example shows it" if len(named) == 1 else "whose examples show it"
    return f"{_label('Returned by', '')}\n\n{', '.join(named)}, {said}."


def index_line(name: str, path: str, said: Docstring) -> str:
    """Return a line for the list at the top of the module's part of a page."""
    return f"[`{name}`](#{path})\n:   {_typeset(' '.join(said.claim.split()))}"


def _label(title: str, beside: str) -> str:
    return f'<p class="ref-label"><span>{LABELS.get(title, title)}</span>{beside}</p>'


def _content(section: Section, links: Links) -> str:
    if section.title == "Examples":
        return _examples(section.text, links)
    if section.title not in LISTS:
        return links.mark(section.text)
    items = []
    for item in section.items:
        names = ", ".join(f"`{name}`" for name in item.names)
        text = links.mark(item.text).replace("\n", "\n    ")
        items.append(f"{names}\n:   {text}")
    return "\n\n".join(items)


def _examples(text: str, links: Links) -> str:
    """Doctests become coloured sessions; prose between them stays prose."""
    parts = []
    for block in re.split(r"\n\s*\n", text):
        parts.append(f"```pycon\n{block}\n```" if block.lstrip().startswith(">>>") else links.mark(block))
    return "\n\n".join(parts)
