"""SimCLR by the size of a batch and the number of epochs."""

from __future__ import annotations

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import TRAINED, Arrays, means, presets
from build_scripts.precompute.table import Axis, Part, table_recipe

__all__ = ["RECIPE"]

BATCHES = (16, 32, 64, 128, 256, 512, 1024)
EPOCHS = (10, 30, 100)
BATCH = Part(Job(), (Axis.over("batch", BATCHES), Axis.over("epochs", EPOCHS)), seeds=3, metrics=TRAINED)


def findings(arrays: Arrays) -> dict[str, float]:
    """Return the few-label probe of the smallest and largest batch, after the fewest and most epochs."""
    few = means(arrays, "digits_few5_h")
    ends = {"small_batch": 0, "large_batch": -1}
    times = {"short": 0, "long": -1}
    return {f"few5_h_{b}_{t}": float(few[i, j]) for b, i in ends.items() for t, j in times.items()}


RECIPE = table_recipe(
    name="batch-and-epochs",
    about="SimCLR for batches of 16 to 1024 images and 10 to 100 epochs",
    slug="batch-and-epochs",
    presets=presets(BATCH, (Axis.over("batch", (32, 256)), Axis.over("epochs", (1, 3)))),
    findings=findings,
    file=__file__,
)
