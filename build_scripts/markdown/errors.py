"""What an author gets when a page is wrong: file, line, what was wanted, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Problem", "SimProblem", "SyntaxProblem", "nearest"]


@dataclass(frozen=True, order=True)
class Problem:
    """One fault of one page.

    Attributes:
        file: path from the project's root.
        line: 1 for the first line of the file, front matter included.
        message: what is wrong.
        remedy: what to do about it.
    """

    file: str
    line: int
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}\n    {self.remedy}"


class SyntaxProblem(ValueError):
    """Raised by a syntax that cannot be carried out; the caller knows file and line.

    Args:
        message: what is wrong.
        remedy: what to do about it.
        line: lines below the first line of the syntax, for a block of several lines.
    """

    def __init__(self, message: str, remedy: str, line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.line = line


class SimProblem(SyntaxProblem):
    """A sim's own file raises: said once, where it raises, however many pages ask for the sim.

    Args:
        message: what is wrong.
        remedy: what to do about it.
        file: the sim's file, from the project's root.
        at: the line in it.
    """

    def __init__(self, message: str, remedy: str, file: str, at: int) -> None:
        super().__init__(message, remedy)
        self.file = file
        self.at = at


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a remedy for a misspelt `name`: the nearest known one, and the list."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return f"{hint}There is: {', '.join(names) or 'none'}."
