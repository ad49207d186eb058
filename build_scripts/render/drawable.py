"""Refuses what the page cannot draw: the build paints with all of Vega, the player has a part of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from build_scripts.charting import Panel
from build_scripts.render.errors import RenderError
from build_scripts.render.source import SimSource

__all__ = ["TRANSFORMS", "check_drawable"]

Json = dict[str, Any]
# What a spec may name of the Vega packages that `sims/player/src/chart.ts` takes.
TRANSFORMS = frozenset(
    [
        "aggregate",
        "bin",
        "collect",
        "countpattern",
        "cross",
        "density",
        "dotbin",
        "extent",
        "filter",
        "flatten",
        "fold",
        "formula",
        "identifier",
        "impute",
        "joinaggregate",
        "kde",
        "linkpath",
        "loess",
        "lookup",
        "pie",
        "pivot",
        "project",
        "quantile",
        "regression",
        "sample",
        "sequence",
        "stack",
        "timeunit",
        "window",
    ]
)
_MAP = "a map is drawn by Vega's geo package, which the page does not have; make it an image and a Picture"


def check_drawable(source: SimSource, panel: Panel, vega: Json) -> None:
    """Check a compiled Vega spec against what the player draws.

    Raises:
        RenderError: names the panel, what the player lacks, and the remedy.
    """
    for reason in _reasons(vega):
        raise RenderError(source.charts_file, f"panel {panel.name}: {reason}")


def _reasons(node: Any) -> Iterator[str]:
    """Yield why a spec, or a group mark in it, cannot be drawn."""
    if node.get("projections"):
        yield _MAP
    for data in node.get("data", []):
        yield from _transforms(data)
    for mark in node.get("marks", []):
        if mark.get("type") == "image":
            yield (
                "an image mark fetches its picture by address, and charts in the page load nothing; "
                "return the picture in Frame(images=…) and show it with Picture or tooltip_image"
            )
        yield from _transforms(mark)
        yield from _reasons(mark)


def _transforms(node: Json) -> Iterator[str]:
    for transform in node.get("transform", []):
        name = str(transform["type"]).lower()
        if name.startswith("geo") or name == "graticule":
            yield _MAP
        elif name not in TRANSFORMS:
            yield (
                f"Vega's transform {name!r} is not among those that the page has; compute it in sim.py "
                "and put the result in a table"
            )
