"""SimCLR by temperature and by the length of z."""

from __future__ import annotations

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import TRAINED, Arrays, means, presets
from build_scripts.precompute.table import Axis, Part, table_recipe

__all__ = ["RECIPE"]

TAUS = (0.02, 0.05, 0.07, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0)
DIMENSIONS = (2, 3, 8, 32)
TEMPERATURE = Part(Job(), (Axis.over("d", DIMENSIONS), Axis.over("tau", TAUS)), seeds=3, metrics=TRAINED)


def findings(arrays: Arrays) -> dict[str, float]:
    """Return the best kNN in z of every dimension, and how even z is at the ends of τ."""
    knn, even = means(arrays, "digits_knn"), means(arrays, "digits_uniformity")
    told = {f"best_knn_row_{i}": float(row.max()) for i, row in enumerate(knn)}
    return told | {"uniformity_lowest_tau": float(even[-1, 0]), "uniformity_highest_tau": float(even[-1, -1])}


RECIPE = table_recipe(
    name="temperature",
    about="SimCLR for ten temperatures and z of 2 to 32 dimensions",
    slug="temperature",
    presets=presets(TEMPERATURE, (Axis.over("d", (2, 32)), Axis.over("tau", (0.1, 1.0)))),
    findings=findings,
    file=__file__,
)
