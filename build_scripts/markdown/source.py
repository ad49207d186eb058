"""The file behind a page: its front matter, and which line of it a piece of text came from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

__all__ = ["FrontMatter", "Source"]

_FRONT = re.compile(r"\A---[ \t]*\n(?P<yaml>.*?)^(?:---|\.\.\.)[ \t]*\n", re.M | re.S)


@dataclass(frozen=True)
class FrontMatter:
    """The keys of a page's front matter, and the line of each."""

    values: dict[str, Any]
    lines: dict[str, int]
    end: int

    @classmethod
    def read(cls, text: str) -> FrontMatter:
        """Read the front matter of `text`; empty where there is none.

        Raises:
            ValueError: it is not a YAML mapping; the message has the line.
        """
        found = _FRONT.match(text)
        if not found:
            return cls({}, {}, 0)
        end = found.group(0).count("\n")
        try:
            node = yaml.compose(found["yaml"], Loader=yaml.SafeLoader)
            values = yaml.safe_load(found["yaml"]) or {}
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 2 if error.problem_mark else 1
            raise ValueError(f"line {line}: front matter is not YAML: {error.problem}") from None
        if not isinstance(values, dict) or (node is not None and not isinstance(node, yaml.MappingNode)):
            raise ValueError("line 2: front matter must be lines of `key: value`")
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        lines = {str(key.value): key.start_mark.line + 2 for key, _ in pairs}
        return cls(values, lines, end)


@dataclass
class Source:
    """A page's file.

    Attributes:
        file: path from the project's root, for messages.
        text: the whole file, front matter included.
        url: the page's address from the site's root, for relative links; ends in `/` or a file name.
        sim: slug of the sim whose page this is, else None.
        shown: slugs of the sims embedded so far, in order.
        cited: citation keys in the order of their first use.
        at: index of the line found last; -1 before the first.
    """

    file: str
    text: str
    url: str = ""
    sim: str | None = None
    shown: list[str] = field(default_factory=list)
    cited: list[str] = field(default_factory=list)
    at: int = -1

    @classmethod
    def read(cls, path: Path, root: Path, url: str = "", sim: str | None = None) -> Source:
        """Read `path`."""
        return cls(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"), url, sim)

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    def locate(self, line: str, *, new: bool = False) -> int:
        """Return the number of the file's line that reads `line`, from the last one found on.

        A page reaches the extension in pieces (its body, then each quiz), with lines taken out,
        so a line is found by what it says. Pieces come in the file's order or start anew.

        Args:
            new: it is another line than the last one, though it may read the same.
        """
        wanted = line.strip()
        lines = self.lines
        start = self.at + 1 if new else max(self.at, 0)
        for order in (range(start, len(lines)), range(min(start, len(lines)))):
            for i in order:
                if wanted and wanted in lines[i]:
                    self.at = i
                    return i + 1
        return 1

    def rewind(self) -> None:
        """Look for the next line from the top again."""
        self.at = -1
