"""One cell of a sweep: a name, its settings, and what its work returns."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

__all__ = ["SECONDS", "Arrays", "Cell", "CellFailed", "Work", "as_arrays", "check", "run_cell"]

Arrays = dict[str, NDArray[Any]]
Work = Callable[[Mapping[str, Any]], Mapping[str, NDArray[Any] | float]]

# Beside a cell's results: how long they took, in s. Work may not use the name.
SECONDS = "_seconds"
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=-]{0,99}")
# Truth values, whole numbers, floats, complex numbers and text: what a file can hold without pickle.
_KINDS = "biufcSU"


class CellFailed(RuntimeError):
    """The work of one cell failed; the message names the cell, its settings and what went wrong."""


@dataclass(frozen=True)
class Cell:
    """One piece of a sweep.

    Attributes:
        key: its name, and its file's: letters, digits and . _ + = -, at most 100, a letter or digit first.
        settings: what the work is told, JSON-ready.
        shares: names what its process may keep for other cells of the same text; "" for nothing. Where
            there are several processes, each goes on with such cells while it can.

    Raises:
        ValueError: the key makes no safe file name, or the settings are not JSON-ready.

    Examples:
        >>> Cell("tau-0.5", {"tau": 0.5}).text
        '{"tau": 0.5}'
        >>> Cell("../tau", {"tau": 0.5})
        Traceback (most recent call last):
        ValueError: key must be a file name of letters, digits and . _ + = - (at most 100), got '../tau'
    """

    key: str
    settings: Mapping[str, Any]
    shares: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.key, str) or not _KEY.fullmatch(self.key):
            raise ValueError(
                f"key must be a file name of letters, digits and . _ + = - (at most 100), got {self.key!r}"
            )
        if odd := [name for name in self.settings if not isinstance(name, str)]:
            raise ValueError(f"settings of {self.key!r} must have names that are text, got {odd[0]!r}")
        try:
            json.dumps(dict(self.settings), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"settings of {self.key!r} must be JSON-ready (text, finite numbers, lists): {error}"
            ) from None

    @property
    def text(self) -> str:
        """The settings in one fixed form, by which a finished cell is known again."""
        return json.dumps(dict(self.settings), sort_keys=True, allow_nan=False)


def check(cells: Sequence[Cell]) -> None:
    """Refuse keys that would share a file, also where the file system ignores case."""
    counts = Counter(cell.key.lower() for cell in cells)
    if twice := [cell.key for cell in cells if counts[cell.key.lower()] > 1]:
        raise ValueError(
            f"keys must differ in more than case, since each names a file; got {', '.join(map(repr, twice))}"
        )


def run_cell(work: Work, settings: Mapping[str, Any]) -> Arrays:
    """Run one cell on one thread, wherever it runs, and return its results and `SECONDS` as arrays.

    Raises:
        TypeError: the work did not return a mapping of names to arrays and numbers.
    """
    threads, began = torch.get_num_threads(), time.perf_counter()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1):
            results = work(dict(settings))
    finally:
        torch.set_num_threads(threads)
    return as_arrays(results, time.perf_counter() - began)


def as_arrays(results: Mapping[str, NDArray[Any] | float], seconds: float) -> Arrays:
    """Return a cell's results as a file can hold them, with the seconds that they took.

    Raises:
        TypeError: they are not a mapping of names to arrays and numbers.
    """
    if not isinstance(results, Mapping):
        raise TypeError(f"work must return a mapping of names to arrays, got {type(results).__name__}")
    arrays: Arrays = {SECONDS: np.array(seconds)}
    for name, value in results.items():
        array = np.array(value)
        if not isinstance(name, str) or not name.isidentifier() or name.startswith("_"):
            raise TypeError(f"work must name its results as Python names without a leading _, got {name!r}")
        if array.dtype.kind not in _KINDS:
            raise TypeError(f"result {name!r} must be an array of numbers or text, got {array.dtype}")
        arrays[name] = array
    return arrays
