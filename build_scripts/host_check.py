"""Does any source ask a third party for something? Readers' browsers must not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from build_scripts.markdown.errors import Problem
from build_scripts.markdown.scan import hide_code

__all__ = ["check_hosts"]

PLACES = ("docs", "overrides", "sims")
SUFFIXES = (".md", ".html", ".j2", ".css", ".js", ".mjs", ".ts", ".svg", ".ipynb")
# What makes a browser fetch: not a plain link, not a namespace, not an address in prose.
_FETCHED = re.compile(
    r"""(?:\b(?:src|srcset|poster|data-src)\s*=\s*\\?["']?|\burl\(\s*["']?|@import\s+(?:url\()?["']?"""
    r"""|\b(?:fetch|import|importScripts|Worker|EventSource|WebSocket)\s*\(\s*["'`]|\bfrom\s+["']"""
    r"""|<link\b[^>]*\bhref\s*=\s*["']?|!\[[^\]]*\]\()(?P<address>(?:https?:|wss?:)?//[^\s"'`)>\\]+)""",
    re.I,
)
_LINK_REL = re.compile(r'<link\b[^>]*\brel\s*=\s*["\']?(?:canonical|prev|next|license|author)', re.I)


def check_hosts(root: Path) -> list[Problem]:
    """Return every place in the sources that would fetch from another host."""
    problems = []
    for path in _sources(root):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".md":
            text = hide_code(text)
        for number, line in enumerate(text.split("\n"), 1):
            for found in _FETCHED.finditer(line):
                if _LINK_REL.match(line[found.start() :]):
                    continue
                problems.append(
                    Problem(
                        path.relative_to(root).as_posix(),
                        number,
                        f"asks another host for {found['address'][:80]}",
                        "Put the file into the book (docs/assets, or an npm package that the build copies).",
                    )
                )
    return problems


def _sources(root: Path) -> Iterator[Path]:
    for place in PLACES:
        for path in sorted((root / place).rglob("*")):
            if path.is_file() and path.suffix in SUFFIXES and "node_modules" not in path.parts:
                yield path
