"""What keeps methods without negatives from collapse: stop-gradient, predictor, momentum."""

from __future__ import annotations

from typing import Any

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import TRAINED, Arrays, by_row, presets
from build_scripts.precompute.table import Axis, Part, Table, table_recipe

__all__ = ["RECIPE"]

WITHOUT: dict[str, dict[str, Any]] = {
    "SimSiam": {},
    "no stop-gradient": {"method_options": {"stop_gradient": False}},
    "no predictor": {"method_options": {"predictor": False}},
}
MOMENTA = (0.0, 0.9, 0.99, 1.0)
TARGETS: dict[str, dict[str, Any]] = {
    f"BYOL {m:g}": {"method": "byol", "method_options": {"momentum": m, "rising_momentum": False}}
    for m in MOMENTA
}
VARIANTS = WITHOUT | TARGETS
METRICS = (*TRAINED, "spread_z")
# Untrained convolutions leave much to learn, and without batch norm at its end the head may collapse.
COLLAPSE = Part(
    Job(
        method="simsiam",
        encoder="conv",
        width=16,
        d=64,
        hidden=128,
        learning_rate=5e-3,
        epochs=20,
        curve=True,
    ),
    (Axis("variant", VARIANTS),),
    seeds=3,
    metrics=METRICS,
)
# The same network before training: what a collapsed one is to be compared with.
UNTRAINED = Part(
    COLLAPSE.base.with_(method="random", curve=False),
    (Axis("variant", {"untrained": {}}),),
    seeds=3,
    metrics=tuple(name for name in METRICS if name != "loss_train"),
)
MEASURES = ("spread_z", "mean_vector", "rank_z", "few5_h", "knn", "knn_h")


def findings(arrays: Arrays) -> dict[str, float]:
    """Return the spread of z (0: all one point), its rank, and what the features are worth, by variant."""
    told: dict[str, float] = {}
    for measure in MEASURES:
        told |= by_row(arrays, f"digits_{measure}", tuple(VARIANTS))
        told |= by_row(arrays, f"untrained_{measure}", ("untrained",))
    few = arrays["digits_few5_h"].std(axis=-1)
    return told | {"few5_h_largest_std_over_seeds": float(few.max())}


def _with_untrained(table: Table) -> Table:
    untrained = Part(UNTRAINED.base, UNTRAINED.axes, table.parts["digits"].seeds, UNTRAINED.metrics)
    return Table({**table.parts, "untrained": untrained})


RECIPE = table_recipe(
    name="collapse",
    about="SimSiam with and without its parts, BYOL for momenta from 0 to 1, epoch by epoch",
    slug="collapse-lab",
    presets={
        name: _with_untrained(table) for name, table in presets(COLLAPSE, (Axis("variant", WITHOUT),)).items()
    },
    findings=findings,
    file=__file__,
)
