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
    Job(epochs=16),
    (Axis.over("strength", STRENGTHS), Axis.over("tau", TAUS)),
    seeds=3,
    metrics=METRICS,
)
# No class of shape is learnt in so few steps; what the views do to the colours is seen in them.
FACTORS = Part(
    Job(
        dataset="factors",
        dataset_options={"count": 512, "test_count": 256, "size": 32},
        width=128,
        views=("crop", "flip", "color", "grey", "noise"),
        epochs=8,
        few_label_draws=2,
        view_draws=1,
        factors=("hue", "background_hue"),
    ),
    DIGITS.axes,
    seeds=3,
    metrics=(*METRICS, "factor_hue", "factor_hue_h", "factor_background_hue", "factor_background_hue_h"),
)


def pictures(part: Part, prefix: str, factors: tuple[str, ...] = ()) -> dict[str, Part]:
    """Return a part's twins with z of two and of three dimensions: what is shown is what was trained.

    Args:
        factors: those that colour the points, and that z is probed for.
    """
    base = part.base.with_(shown=60, few_label_draws=2, view_draws=1, factors=factors)
    metrics = (
        "loss_train",
        "loss",
        "uniformity",
        "knn",
        "mean_vector",
        *(f"factor_{name}" for name in factors),
    )
    return {
        f"{prefix}{name}": replace(part, base=base.with_(d=d), seeds=1, metrics=metrics)
        for name, d in (("circle", 2), ("sphere", 3))
    }


SEEN = ("hue", "background")
PICTURES = {**pictures(DIGITS, ""), **pictures(FACTORS, "factors_", SEEN)}
CPU = Table({"digits": DIGITS, "factors": FACTORS, **PICTURES})
MANY_DIGITS = replace(DIGITS, base=DIGITS.base.with_(epochs=100), seeds=5)
MANY_FACTORS = replace(
    FACTORS,
    base=FACTORS.base.with_(
        encoder="conv", width=32, epochs=60, dataset_options={"count": 8192, "test_count": 1024}
    ),
)
GPU = Table(
    {
        "digits": MANY_DIGITS,
        "factors": MANY_FACTORS,
        **pictures(MANY_DIGITS, ""),
        **pictures(MANY_FACTORS, "factors_", SEEN),
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
    """Return where the loss is lowest and where what counts is best, by the mean over seeds.

    What counts is, of the digits, the probe with five labels a class; of the factors, how well z tells the
    shape's hue, and what is left of it at full strength.
    """
    told = _extremes(arrays, "digits", "few5_h")
    if "factors_loss_train" in arrays:
        told |= _extremes(arrays, "factors", "factor_hue")
        for name in ("factor_hue", "factor_hue_h", "top1"):
            weakest, strongest = arrays[f"factors_{name}"].mean(axis=(1, 2))[[0, -1]]
            told |= {f"factors_{name}_weakest": float(weakest), f"factors_{name}_strongest": float(strongest)}
    return told


def _extremes(arrays: Mapping[str, NDArray[np.float64]], part: str, counts: str) -> dict[str, float]:
    loss, worth = (arrays[f"{part}_{name}"].mean(axis=-1) for name in ("loss_train", counts))
    lowest = np.unravel_index(loss.argmin(), loss.shape)
    best = np.unravel_index(worth.argmax(), worth.shape)
    told = {f"{part}_lowest_loss": float(loss.min()), f"{part}_{counts}_there": float(worth[lowest])}
    told |= {f"{part}_best_{counts}": float(worth.max()), f"{part}_loss_there": float(loss[best])}
    for axis, (low, high) in enumerate(zip(lowest, best, strict=True)):
        name = ("strength", "tau")[axis]
        told |= {
            f"{part}_lowest_loss_{name}_row": float(low),
            f"{part}_best_{counts}_{name}_row": float(high),
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
