"""SimCLR by the size of a batch and the number of epochs."""

from __future__ import annotations

import math

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import TRAINED, Arrays, presets
from build_scripts.precompute.table import Axis, Part, table_recipe

__all__ = ["RECIPE"]

BATCHES = (16, 64, 256, 1024)
EPOCHS = (10, 30, 60)
# The rate at N = 128; every other N has it times the square root of N / 128.
RATE = 2e-3


def _by_batch(sizes: tuple[int, ...]) -> Axis:
    """Return the axis of N, each with its rate (Chen et al. 2020, appendix B.1: square root)."""
    return Axis("batch", {n: {"batch": n, "learning_rate": RATE * math.sqrt(n / 128)} for n in sizes})


BATCH = Part(Job(), (_by_batch(BATCHES), Axis.over("epochs", EPOCHS)), seeds=3, metrics=TRAINED)


def findings(arrays: Arrays) -> dict[str, float]:
    """Return the few-label probe of h and positive retrieval for the ends of N and of the epochs.

    `gap` is what N = 1024 lacks against the best smaller N at the same number of epochs. Rows have the
    names that they have on a CPU; the small preset's own are smaller.
    """
    told: dict[str, float] = {}
    for measure in ("few5_h", "top1"):
        values = arrays[f"digits_{measure}"]
        sizes, epochs = BATCHES[:: len(BATCHES) - 1], EPOCHS[:: len(EPOCHS) - 1]
        for i, n in zip((0, -1), sizes, strict=True):
            for j, count in zip((0, -1), epochs, strict=True):
                told[f"{measure}_N_{n}_epochs_{count}"] = float(values[i, j].mean())
        for j, count in zip((0, -1), epochs, strict=True):
            means = values[:, j].mean(axis=-1)
            told[f"{measure}_gap_epochs_{count}"] = float(means[:-1].max() - means[-1])
        told[f"{measure}_largest_std_over_seeds"] = float(values.std(axis=-1).max())
    return told


RECIPE = table_recipe(
    name="batch-and-epochs",
    about="SimCLR for batches of 16 to 1024 images and 10 to 60 epochs, its rate with the square root of N",
    slug="batch-and-epochs",
    presets=presets(BATCH, (_by_batch((32, 256)), Axis.over("epochs", (1, 3)))),
    findings=findings,
    file=__file__,
)
