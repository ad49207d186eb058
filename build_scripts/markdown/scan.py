"""Finds the book's own syntax in a text, and leaves code, comments and maths alone."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["Token", "hide_code", "scan"]

Kind = Literal["brace", "state", "cite", "predict"]

_FENCE = re.compile(
    r"^(?P<indent>[ \t>]*)(?P<fence>`{3,}|~{3,})[^\n`]*\n.*?(?:^[ \t>]*(?P=fence)[`~]*[ \t]*$|\Z)",
    re.M | re.S,
)
_CODE = re.compile(r"(?<![`\\])(`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)\1(?!`)", re.S)
_COMMENT = re.compile(r"<!--.*?-->|<(pre|code)\b.*?</\1>", re.S)
_SCRIPT = re.compile(r"<(script|style)\b.*?</\1>", re.S)
_MATHS = re.compile(r"(?<!\\)\$\$.+?\$\$|(?<![\\$])\$(?![\s$])(?:\\.|[^$\\\n])+?(?<!\s)\$(?![\d$])", re.S)
_TOKEN = re.compile(
    r"^:::[ ]?(?P<predict>predict)[ \t]*\n(?P<body>.*?)^:::[ \t]*$"
    r"|(?<!\\)\{(?P<brace>[a-z]+)(?::(?P<inside>[^{}\n]*))?\}"
    r"|\]\(state:(?P<state>[^)\n]*)\)"
    r"|(?<!\\)\[(?P<cite>@[^\[\]\n]+)\](?![(\[])",
    re.M | re.S,
)
_LIST = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s|^(?:!!!|\?\?\?\+?|===)\s|^\[\^|^:\s")


@dataclass(frozen=True)
class Token:
    """One use of the syntax.

    Attributes:
        kind: `{name: inside}`, `](state:inside)`, `[@inside]` or a `:::predict` block.
        name: the word after `{`; the kind for the others.
        inside: what stands in it, stripped; None for a bare `{name}`.
        start, end: its place in the text.
        line: of its first character, 0 for the text's first.
        maths: it stands in a formula.
    """

    kind: Kind
    name: str
    inside: str | None
    start: int
    end: int
    line: int
    maths: bool = False


def scan(text: str) -> Iterator[Token]:
    """Yield the tokens of `text` in order, outside of code, comments and raw `<pre>`."""
    hidden = _hidden(text)
    hidden += _outside(_spans(text, _SCRIPT), hidden)
    maths = _outside(_spans(text, _MATHS), hidden)
    starts = [0, *(m.end() for m in re.finditer("\n", text))]
    for found in _TOKEN.finditer(text):
        if _within(found.start(), hidden):
            continue
        start, end = found.span()
        line = bisect_right(starts, start) - 1
        in_maths = _within(start, maths)
        if found["predict"]:
            yield Token("predict", "predict", found["body"], start, end, line)
        elif found["brace"]:
            inside = None if found["inside"] is None else found["inside"].strip()
            yield Token("brace", found["brace"], inside, start, end, line, in_maths)
        elif in_maths:
            continue
        elif found["state"] is not None:
            yield Token("state", "state", found["state"], start, end, line)
        else:
            yield Token("cite", "cite", found["cite"], start, end, line)


def hide_code(text: str) -> str:
    """Return `text` with code, comments and raw `<pre>` blanked out, lines kept."""
    for start, end in _hidden(text):
        text = text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
    return text


def _hidden(text: str) -> list[tuple[int, int]]:
    hidden = _spans(text, _FENCE)
    hidden += _outside(_spans(text, _COMMENT), hidden)
    hidden += _outside(_spans(text, _CODE), hidden)
    return hidden + _indented(text)


def _spans(text: str, pattern: re.Pattern[str]) -> list[tuple[int, int]]:
    return [m.span() for m in pattern.finditer(text)]


def _within(at: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in spans)


def _outside(spans: list[tuple[int, int]], hidden: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [s for s in spans if not _within(s[0], hidden)]


def _indented(text: str) -> list[tuple[int, int]]:
    """Spans of indented code: four spaces after a blank line, where no list or admonition is open."""
    spans: list[tuple[int, int]] = []
    at, open_container, blank, code = 0, False, True, False
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        indented = line.startswith(("    ", "\t"))
        if bare and not indented:
            open_container = bool(_LIST.match(line))
            code = False
        elif bare and indented and not open_container:
            code = code or blank
            if code:
                spans.append((at, at + len(line)))
        blank = not bare
        at += len(line)
    return spans
