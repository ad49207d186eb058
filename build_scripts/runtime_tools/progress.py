"""A download's progress on standard error: one moving line on a terminal, every tenth in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType

__all__ = ["Progress"]


class Progress:
    """Counts bytes of one file.

    Args:
        name: what is printed.
        total: bytes, or None when the server does not say.
    """

    def __init__(self, name: str, total: int | None) -> None:
        self.name = name
        self.total = total
        self.done = 0
        self._shown = 0.0
        self._tenth = 0
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self

    def add(self, count: int) -> None:
        """Say that `count` more bytes have come."""
        self.done += count
        if self._terminal:
            if time.monotonic() - self._shown > 0.1:
                self._shown = time.monotonic()
                print(f"\r{self._line()}", end="", file=sys.stderr, flush=True)
        elif self.total and self.done * 10 // self.total > self._tenth:
            self._tenth = self.done * 10 // self.total
            print(self._line(), file=sys.stderr)

    def _line(self) -> str:
        megabytes = f"{self.done / 1e6:.1f}"
        return (
            f"{self.name}: {megabytes} MB"
            if self.total is None
            else f"{self.name}: {megabytes} of {self.total / 1e6:.1f} MB"
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._terminal:
            print(f"\r{self._line()}", file=sys.stderr)
