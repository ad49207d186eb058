"""SimCLR by temperature and by the length of z."""

from __future__ import annotations

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import TRAINED, Arrays, means, presets
from build_scripts.precompute.table import Axis, Part, table_recipe

__all__ = ["RECIPE"]

TAUS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
DIMENSIONS = (2, 3, 32)
TEMPERATURE = Part(Job(), (Axis.over("d", DIMENSIONS), Axis.over("tau", TAUS)), seeds=3, metrics=TRAINED)


def findings(arrays: Arrays) -> dict[str, float]:
    """Return, for every dimension, where kNN in z is best and z most even, and the cone at low temperature.

    `uniformity_lowest_d_<d>` (nats) is the most even mean over seeds, `uniformity_at_tau_<tau>_d_<d>` that
    of the ends of τ; `mean_vector_...` is the length of the mean of z, 1 where all is one point.
    """
    knn, even, mean = (means(arrays, f"digits_{name}") for name in ("knn", "uniformity", "mean_vector"))
    spread = arrays["digits_knn"].std(axis=-1)
    # The small preset has the ends of τ alone.
    taus = TAUS if knn.shape[1] == len(TAUS) else TAUS[:: len(TAUS) - 1]
    told: dict[str, float] = {}
    for i, d in enumerate(DIMENSIONS[: len(knn)]):
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
    about="SimCLR for eight temperatures and z of 2, 3 and 32 dimensions",
    slug="temperature",
    presets=presets(TEMPERATURE, (Axis.over("d", DIMENSIONS[:2]), Axis.over("tau", (TAUS[0], TAUS[-1])))),
    findings=findings,
    file=__file__,
)
