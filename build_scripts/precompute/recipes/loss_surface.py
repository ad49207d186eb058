"""Strength of the views by temperature: what the loss says of every training, and what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from build_scripts.precompute.job import Job
from build_scripts.precompute.table import Axis, Part, Table, table_recipe

__all__ = ["RECIPE"]

STRENGTHS = tuple(round(float(s), 3) for s in np.linspace(0.0, 1.0, 12))
TAUS = tuple(round(float(t), 4) for t in np.geomspace(0.05, 2.0, 12))
METRICS = (
    *("loss_train", "loss", "alignment", "uniformity", "top1", "knn", "knn_h", "few5_h", "few5"),
    *("rank_z", "mean_vector"),
)
DIGITS = Part(
    Job(epochs=30),
    (Axis.over("strength", STRENGTHS), Axis.over("tau", TAUS)),
    seeds=3,
    metrics=METRICS,
)
# The pictures: z of two and of three dimensions, so that what is shown is what was trained.
PICTURES = {
    name: replace(
        DIGITS,
        base=DIGITS.base.with_(d=d, shown=60, few_label_draws=2, view_draws=1),
        seeds=1,
        metrics=("loss_train", "loss", "uniformity", "knn", "mean_vector"),
    )
    for name, d in (("circle", 2), ("sphere", 3))
}
FACTORS = Part(
    Job(
        dataset="factors",
        dataset_options={"count": 768, "test_count": 320, "size": 32},
        encoder="conv",
        width=16,
        views=("crop", "flip", "color", "grey", "noise"),
        epochs=8,
        few_labels=(5,),
    ),
    (Axis.over("strength", STRENGTHS[::2] + STRENGTHS[-1:]), Axis.over("tau", TAUS[::2] + TAUS[-1:])),
    seeds=3,
    metrics=METRICS,
)
CPU = Table({"digits": DIGITS, **PICTURES})
GPU = Table(
    {
        "digits": replace(DIGITS, base=DIGITS.base.with_(epochs=100), seeds=5),
        **PICTURES,
        "factors": replace(
            FACTORS,
            base=FACTORS.base.with_(epochs=60, width=32, dataset_options={"count": 8192}),
            axes=(Axis.over("strength", STRENGTHS), Axis.over("tau", TAUS)),
        ),
    }
)
SMALL = Table(
    {
        "digits": replace(
            DIGITS,
            base=DIGITS.base.with_(epochs=4, few_label_draws=2, view_draws=1),
            axes=(Axis.over("strength", (0.0, 0.5, 1.0)), Axis.over("tau", (0.1, 0.5))),
            seeds=1,
        )
    }
)


def findings(arrays: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """Return where the loss is lowest and where the probe is best, by the mean over seeds."""
    told: dict[str, float] = {}
    for part in ("digits", "factors"):
        if f"{part}_loss_train" not in arrays:
            continue
        loss, few = (arrays[f"{part}_{name}"].mean(axis=-1) for name in ("loss_train", "few5_h"))
        lowest = np.unravel_index(loss.argmin(), loss.shape)
        best = np.unravel_index(few.argmax(), few.shape)
        told |= {f"{part}_lowest_loss": float(loss.min()), f"{part}_few5_h_there": float(few[lowest])}
        told |= {f"{part}_best_few5_h": float(few.max()), f"{part}_loss_there": float(loss[best])}
        for axis, (low, high) in enumerate(zip(lowest, best, strict=True)):
            name = ("strength", "tau")[axis]
            told |= {
                f"{part}_lowest_loss_{name}_row": float(low),
                f"{part}_best_few5_h_{name}_row": float(high),
            }
    return told


RECIPE = table_recipe(
    name="loss-surface",
    about="SimCLR for every strength of the views and every temperature, several seeds each",
    slug="loss-surface",
    presets={"cpu": CPU, "gpu": GPU, "small": SMALL},
    findings=findings,
    file=__file__,
)
