"""How far colour alone finds the partner, beside trained encoders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import Arrays, means
from build_scripts.precompute.table import Axis, Part, Table, table_recipe

__all__ = ["RECIPE"]

VIEWS_MEASURED = {"crop": ("crop",), "crop_color": ("crop", "color")}
SHORTCUT: Mapping[str, Mapping[str, Any]] = {
    "histogram": {"method": "histogram"},
    "raw": {"method": "raw"},
    "random": {"method": "random"},
    "crop": {"views": ["crop"]},
    "crop_color": {"views": ["crop", "color"]},
}


def _tables(epochs: int, seeds: int) -> Table:
    base = Job(
        dataset="tinted-digits", views=("crop",), strength=1.0, view_options={"geometry": 0.35}, epochs=epochs
    )
    return Table(
        {
            name.replace("_", "-"): Part(
                base.with_(measure_views=views),
                (Axis("features", SHORTCUT),),
                seeds=seeds,
                metrics=("top1", "top5", "knn_h", "few5_h"),
            )
            for name, views in VIEWS_MEASURED.items()
        }
    )


def findings(arrays: Arrays) -> dict[str, float]:
    """Return how often each kind of feature finds the partner, with and without colours in common."""
    return {
        f"{measured}_top1_{row}": float(v)
        for measured in ("crop", "crop-color")
        for row, v in zip(SHORTCUT, means(arrays, f"{measured}_top1"), strict=False)
    }


RECIPE = table_recipe(
    name="shortcut",
    about="positive retrieval by colour histogram, pixels, and encoders with and without colour views",
    slug="augmentation-playground",
    presets={"cpu": _tables(80, 3), "gpu": _tables(200, 10), "small": _tables(4, 1)},
    findings=findings,
    file=__file__,
)
