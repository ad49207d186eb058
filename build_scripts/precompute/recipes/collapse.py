"""What keeps methods without negatives from collapse: stop-gradient, predictor, momentum."""

from __future__ import annotations

from typing import Any

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import TRAINED, Arrays, by_row, presets
from build_scripts.precompute.table import Axis, Part, table_recipe

__all__ = ["RECIPE"]

WITHOUT: dict[str, dict[str, Any]] = {
    "SimSiam": {"method": "simsiam"},
    "no stop-gradient": {"method": "simsiam", "method_options": {"stop_gradient": False}},
    "no predictor": {"method": "simsiam", "method_options": {"predictor": False}},
}
MOMENTA = (0.0, 0.5, 0.9, 0.99, 0.996, 1.0)
TARGETS: dict[str, dict[str, Any]] = {
    f"BYOL {m:g}": {"method": "byol", "method_options": {"momentum": m, "rising_momentum": False}}
    for m in MOMENTA
}
COLLAPSE = Part(
    Job(epochs=60, d=32, hidden=128, learning_rate=2e-3),
    (Axis("variant", WITHOUT | TARGETS),),
    seeds=3,
    metrics=TRAINED,
)


def findings(arrays: Arrays) -> dict[str, float]:
    """Return the length of the mean of z (1: all one point) and its effective rank, by variant."""
    rows = tuple(WITHOUT | TARGETS)
    return (
        by_row(arrays, "digits_mean_vector", rows)
        | by_row(arrays, "digits_rank_z", rows)
        | by_row(arrays, "digits_few5_h", rows)
    )


RECIPE = table_recipe(
    name="collapse",
    about="SimSiam with and without its parts, BYOL for momenta from 0 to 1",
    slug="collapse-lab",
    presets=presets(COLLAPSE, (Axis("variant", WITHOUT),)),
    findings=findings,
    file=__file__,
)
