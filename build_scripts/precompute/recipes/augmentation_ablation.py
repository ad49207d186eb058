"""Every single augmentation and every ordered pair of them: what each lets the network get away with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from build_scripts.precompute.job import Job
from build_scripts.precompute.table import Axis, Part, Table, table_recipe

__all__ = ["RECIPE"]

SEVEN = ("crop", "color", "grey", "blur", "noise", "rotation", "cutout")
# Fixed views on which the retrieval of every network is measured.
BOTH = ("crop", "color")
METRICS = (
    *("loss_train", "loss", "top1", "knn", "knn_h", "few5", "few5_h", "probe", "probe_h"),
    *("uniformity", "rank_h"),
)
# Of images that are 8 pixels wide and strongly tinted: mild crops, every hue, a blur that is none too
# small to change them (SimCLR's kernel would be a tenth of the side, one pixel).
TINTS = {"geometry": 0.2, "color": 0.6, "hue": 0.5, "color_p": 1.0, "kernel": 3}


def pairs(names: tuple[str, ...]) -> Axis:
    """Return the axis of single augmentations (a name) and ordered pairs ("first then second")."""
    rows = {name: {"views": [name]} for name in names}
    rows |= {f"{a} then {b}": {"views": [a, b]} for a in names for b in names if a != b}
    return Axis("views", rows)


TINTED = Part(
    Job(
        dataset="tinted-digits",
        views=BOTH,
        strength=1.0,
        view_options=TINTS,
        d=64,
        hidden=128,
        tau=0.4,
        epochs=30,
        few_label_draws=2,
        view_draws=1,
        probe=True,
    ),
    (pairs(SEVEN),),
    seeds=2,
    metrics=METRICS,
)
# The class of a photograph is plain from its colours. So probes learn from photographs as they are, and
# are asked about others whose colours are shifted.
PHOTOS = Part(
    Job(
        dataset="photos",
        dataset_options={"size": 16, "field": 3, "count": 60},
        views=BOTH,
        encoder="conv",
        width=8,
        strength=1.0,
        view_options={"kernel": 3},
        epochs=8,
        few_label_draws=2,
        view_draws=1,
        probe=True,
        hue=0.5,
        brightness=0.7,
    ),
    (pairs(SEVEN),),
    seeds=2,
    metrics=METRICS,
)
SMALL = replace(TINTED, base=TINTED.base.with_(epochs=8), axes=(pairs(BOTH),), seeds=1)


def findings(arrays: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """Return the shortcut and its cure: crop alone, colour alone, and both, by the mean over seeds."""
    told: dict[str, float] = {}
    for part in sorted({name.split("_")[0] for name in arrays}):
        count = len(arrays[f"{part}_top1"])
        # One row for every name, then the pairs: n + n (n - 1) = n², and crop and colour are the first two.
        names = round(count**0.5)
        rows = {"crop": 0, "color": 1, "crop_color": names, "color_crop": names + (names - 1)}
        for metric in ("top1", "probe", "probe_h", "few5"):
            means = arrays[f"{part}_{metric}"].mean(axis=-1)
            told |= {f"{part}_{metric}_{name}": float(means[row]) for name, row in rows.items()}
    return told


RECIPE = table_recipe(
    name="augmentation-ablation",
    about="SimCLR with every single augmentation and every ordered pair, on tinted digits and photographs",
    slug="augmentation-ablation",
    presets={
        "cpu": Table({"tinted": TINTED, "photos": PHOTOS}),
        "gpu": Table(
            {
                "tinted": replace(
                    TINTED, base=TINTED.base.with_(epochs=200, few_label_draws=10, view_draws=2), seeds=5
                ),
                "photos": replace(
                    PHOTOS,
                    base=PHOTOS.base.with_(
                        dataset_options={"size": 32, "field": 2, "count": 100},
                        encoder="resnet18",
                        width=0,
                        epochs=60,
                        few_label_draws=10,
                    ),
                    seeds=3,
                ),
            }
        ),
        "small": Table({"tinted": SMALL}),
    },
    findings=findings,
    file=__file__,
)
