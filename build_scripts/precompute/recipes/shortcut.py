"""How far colour alone finds the partner, beside trained encoders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.augmentation_ablation import TINTS
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
        dataset="tinted-digits",
        views=("crop",),
        strength=1.0,
        view_options=TINTS,
        epochs=epochs,
        few_label_draws=3,
        view_draws=1,
        probe=True,
    )
    return Table(
        {
            name.replace("_", "-"): Part(
                base.with_(measure_views=views),
                (Axis("features", SHORTCUT),),
                seeds=seeds,
                metrics=("top1", "top5", "knn", "knn_h", "few5", "few5_h", "probe", "probe_h", "chance"),
            )
            for name, views in VIEWS_MEASURED.items()
        }
    )


def findings(arrays: Arrays) -> dict[str, float]:
    """Return how often each kind of feature finds the partner, with and without colours in common.

    And what each is worth: probes for the digit with all labels, of h and of z. They are taken from the
    first part; the second trains the same networks and measures other views.
    """
    told = {
        f"{measured}_top1_{row}": float(v)
        for measured in ("crop", "crop-color")
        for row, v in zip(SHORTCUT, means(arrays, f"{measured}_top1"), strict=False)
    }
    for name in ("probe", "probe_h", "few5"):
        values = zip(SHORTCUT, means(arrays, f"crop_{name}"), strict=False)
        told |= {f"{name}_{row}": float(v) for row, v in values}
    return told | {"chance": float(means(arrays, "crop_chance")[0])}


RECIPE = table_recipe(
    name="shortcut",
    about="positive retrieval by colour histogram, pixels, and encoders with and without colour views",
    slug="augmentation-playground",
    presets={"cpu": _tables(80, 3), "gpu": _tables(200, 10), "small": _tables(4, 1)},
    findings=findings,
    file=__file__,
)
