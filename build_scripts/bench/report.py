"""Rows of the benchmark's table: what was measured, beside what, against which target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

__all__ = ["Row", "percentile", "ratio_row", "table"]


@dataclass(frozen=True)
class Row:
    """One line.

    Attributes:
        what: what was measured.
        ours: the book's number, with unit, as text.
        beside: what it is compared with, as text; "" when it stands alone.
        value: the number that the target is about.
        target: the bound, or None when there is none.
        sense: whether `value` must stay at or below the target, or reach it.
        unit: of `value` and `target`; "×" for ratios.
        spread: how far the single runs lay apart, as text.
    """

    what: str
    ours: str
    beside: str = ""
    value: float = math.nan
    target: float | None = None
    sense: Literal["at most", "at least"] = "at most"
    unit: str = "×"
    spread: str = ""

    @property
    def verdict(self) -> str:
        """`pass`, `miss`, or "" without a target."""
        if self.target is None:
            return ""
        met = self.value <= self.target if self.sense == "at most" else self.value >= self.target
        return "pass" if met else "miss"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def ratio_row(
    what: str,
    ours: Sequence[float],
    beside: Sequence[float],
    *,
    unit: str,
    target: float | None = None,
    name: str = "",
) -> Row:
    """Return the row of two interleaved series: medians, their ratio, and the quartiles."""
    mine, other = median(ours), median(beside)
    return Row(
        what,
        f"{mine:,.0f} {unit}",
        f"{other:,.0f} {unit} {name}".rstrip(),
        mine / other,
        target,
        spread=f"{_quartiles(ours)} | {_quartiles(beside)}",
    )


def _quartiles(values: Sequence[float]) -> str:
    return f"{percentile(values, 0.25):,.0f}–{percentile(values, 0.75):,.0f} of {len(values)}"


def table(rows: Sequence[Row]) -> str:
    """Return the rows as aligned text."""
    head = ("", "the book", "beside", "value", "target", "", "quartiles of runs")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    value = "" if math.isnan(row.value) else _number(row.value, row.unit)
    sign = {"at most": "≤", "at least": "≥"}[row.sense]
    target = "" if row.target is None else f"{sign} {_number(row.target, row.unit)}"
    return (row.what, row.ours, row.beside, value, target, row.verdict, row.spread)


def _number(value: float, unit: str) -> str:
    return f"{value:.2f}×" if unit == "×" else f"{value:,.1f} {unit}"
