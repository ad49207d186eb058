"""Every method with one encoder, one set of views and one budget."""

from __future__ import annotations

from typing import Any

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import COMMON, Arrays, by_row, presets
from build_scripts.precompute.table import Axis, Part, table_recipe

__all__ = ["RECIPE"]

ZOO: dict[str, dict[str, Any]] = {
    "random": {"method": "random"},
    "SimCLR": {"method": "simclr"},
    "MoCo": {"method": "moco", "tau": 0.2},
    "BYOL": {"method": "byol"},
    "SimSiam": {"method": "simsiam"},
    "Barlow Twins": {"method": "barlow_twins"},
    "VICReg": {"method": "vicreg"},
    "CLIP's loss": {"method": "clip"},
    "SupCon": {"method": "supcon"},
    "supervised": {"method": "supervised"},
}
METHODS = Part(
    # All are held to one loss, NT-Xent at one temperature, whatever they were trained with.
    Job(measure_tau=0.5, hidden=128, epochs=60),
    (Axis("method", ZOO),),
    seeds=3,
    metrics=COMMON,
)


def findings(arrays: Arrays) -> dict[str, float]:
    """Return every method's few-label probe of h and its kNN in z."""
    return by_row(arrays, "digits_few5_h", tuple(ZOO)) | by_row(arrays, "digits_knn", tuple(ZOO))


RECIPE = table_recipe(
    name="method-zoo",
    about="every method with one encoder, one set of views and one budget",
    slug="method-zoo",
    presets=presets(METHODS, (Axis("method", ZOO),)),
    findings=findings,
    file=__file__,
)
