"""The one error of rendering: which file, which line when known, what to do."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["RenderError", "line_of"]


class RenderError(ValueError):
    """A sim cannot be rendered.

    Attributes:
        path, line: where, as far as known.
    """

    def __init__(self, path: Path, message: str, line: int | None = None) -> None:
        at = f"{path}:{line}" if line else str(path)
        super().__init__(f"{at}: {message}")
        self.path = path
        self.line = line


def line_of(path: Path, word: str) -> int | None:
    """Return the first line of `path` that holds `word` as a whole word, or None."""
    whole = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if whole.search(line):
            return number
    return None
