"""SimCLR by temperature and by the length of z."""

from __future__ import annotations

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import TRAINED, Arrays, means, presets
from build_scripts.precompute.table import Axis, Part, table_recipe

__all__ = ["RECIPE"]

TAUS = (0.02, 0.05, 0.07, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0)
DIMENSIONS = (2, 3, 8, 32)
TEMPERATURE = Part(Job(), (Axis.over("d", DIMENSIONS), Axis.over("tau", TAUS)), seeds=3, metrics=TRAINED)


# The ends of both axes, in the small preset.
ENDS: tuple[tuple[int, ...], tuple[float, ...]] = ((2, 32), (0.1, 1.0))


def findings(arrays: Arrays) -> dict[str, float]:
    """Return, for every length d of z, where kNN in z is best and z most even, and the cone at low τ.

    Means over seeds, by d: the highest kNN in z with its standard deviation over seeds and its τ; the
    lowest uniformity (nats) and its τ; uniformity and the length of the mean of z (1: all one point) at
    the ends of τ.
    """
    knn, even, mean = (means(arrays, f"digits_{name}") for name in ("knn", "uniformity", "mean_vector"))
    spread = arrays["digits_knn"].std(axis=-1)
    dimensions, taus = (DIMENSIONS, TAUS) if knn.shape == (len(DIMENSIONS), len(TAUS)) else ENDS
    told: dict[str, float] = {}
    for i, d in enumerate(dimensions):
        best, evenest = int(knn[i].argmax()), int(even[i].argmin())
        told |= {
            f"knn_best_d_{d}": float(knn[i, best]),
            f"knn_best_d_{d}_std": float(spread[i, best]),
            f"knn_best_d_{d}_tau": taus[best],
            f"uniformity_lowest_d_{d}": float(even[i, evenest]),
            f"uniformity_lowest_d_{d}_tau": taus[evenest],
        }
        for row in (0, -1):
            told |= {
                f"uniformity_d_{d}_tau_{taus[row]:g}": float(even[i, row]),
                f"mean_vector_d_{d}_tau_{taus[row]:g}": float(mean[i, row]),
            }
    return told


RECIPE = table_recipe(
    name="temperature",
    about="SimCLR for ten temperatures and z of 2 to 32 dimensions",
    slug="temperature",
    presets=presets(TEMPERATURE, (Axis.over("d", ENDS[0]), Axis.over("tau", ENDS[1]))),
    findings=findings,
    file=__file__,
)
