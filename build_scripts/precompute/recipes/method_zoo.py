"""Every method with one encoder, one set of views and one budget."""

from __future__ import annotations

from typing import Any

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import COMMON, Arrays, by_row, presets
from build_scripts.precompute.table import Axis, Part, table_recipe

__all__ = ["RECIPE"]

# All have the same epochs, batches and so updates. What a method's paper sets for itself is its own:
# temperature, rate, and without negatives batch norm at the head's end, predictor and momentum.
WITHOUT_NEGATIVES: dict[str, Any] = {"head": "nonlinear-bn", "learning_rate": 5e-3}
ZOO: dict[str, dict[str, Any]] = {
    "random": {"method": "random"},
    "SimCLR": {"method": "simclr"},
    "MoCo": {"method": "moco", "tau": 0.2, "method_options": {"momentum": 0.9}},
    "BYOL": {
        "method": "byol",
        "method_options": {"momentum": 0.9, "predictor_hidden": 128},
        **WITHOUT_NEGATIVES,
    },
    "SimSiam": {"method": "simsiam", **WITHOUT_NEGATIVES},
    "Barlow Twins": {"method": "barlow_twins", "learning_rate": 5e-3},
    "VICReg": {"method": "vicreg", "learning_rate": 5e-3},
    "CLIP's loss": {"method": "clip"},
    "SupCon (labels)": {"method": "supcon", "tau": 0.1},
    "supervised (labels)": {"method": "supervised"},
}
METHODS = Part(
    # All are held to one loss, NT-Xent at one temperature, whatever they were trained with.
    Job(encoder="conv", width=16, d=64, hidden=128, epochs=20, batch=64, measure_tau=0.5),
    (Axis("method", ZOO),),
    seeds=3,
    metrics=COMMON,
)


def findings(arrays: Arrays) -> dict[str, float]:
    """Return every method's few-label probe of h with its spread over seeds, and its kNN in h and in z."""
    rows = tuple(ZOO)
    told = by_row(arrays, "digits_few5_h", rows)
    spread = arrays["digits_few5_h"].std(axis=-1)
    told |= {f"few5_h_{row}_std": float(value) for row, value in zip(rows, spread, strict=False)}
    return told | by_row(arrays, "digits_knn_h", rows) | by_row(arrays, "digits_knn", rows)


RECIPE = table_recipe(
    name="method-zoo",
    about="every method with one encoder, one set of views and one budget of epochs",
    slug="method-zoo",
    presets=presets(METHODS, (Axis("method", ZOO),)),
    findings=findings,
    file=__file__,
)
