"""What several recipes share: lists of measures, means over seeds, and the usual three presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from build_scripts.precompute.table import Axis, Part, Table

__all__ = ["COMMON", "TRAINED", "Arrays", "by_row", "means", "presets"]

Arrays = Mapping[str, NDArray[np.float64]]
COMMON = (
    *("loss", "top1", "top5", "alignment", "uniformity", "mean_vector"),
    *("knn", "knn_h", "few5", "few5_h", "rank_z", "rank_h"),
)
TRAINED = ("loss_train", *COMMON)


def means(arrays: Arrays, name: str) -> NDArray[np.float64]:
    """Return an array's mean over seeds."""
    found: NDArray[np.float64] = arrays[name].mean(axis=-1)
    return found


def by_row(arrays: Arrays, name: str, rows: tuple[str, ...]) -> dict[str, float]:
    """Return the mean over seeds of an array with one axis, by the row's word."""
    values = means(arrays, name)
    return {f"{name.partition('_')[2]}_{row}": float(v) for row, v in zip(rows, values, strict=False)}


def presets(part: Part, tiny: tuple[Axis, ...], *, gpu: Part | None = None) -> dict[str, Table]:
    """Return the presets of a recipe of one part on digits.

    Args:
        part: of the CPU preset.
        tiny: the axes of the small one, which trains every cell for 3 epochs and one seed.
        gpu: of the GPU preset; None: the CPU's with 10 seeds.
    """
    base = part.base.with_(epochs=3, few_label_draws=2, view_draws=1)
    return {
        "cpu": Table({"digits": part}),
        "gpu": Table({"digits": gpu or replace(part, seeds=10)}),
        "small": Table({"digits": replace(part, base=base, axes=tiny, seeds=1)}),
    }
