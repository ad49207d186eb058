"""What a few labels give: to a probe of three kinds of feature, and to a network trained on them alone."""

from __future__ import annotations

from dataclasses import replace

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import Arrays
from build_scripts.precompute.table import Axis, Part, Table, table_recipe

__all__ = ["RECIPE"]

LABELS = (1, 2, 5, 10, 20, 50, 100)
SOURCES = ("raw", "random", "simclr")
FEATURES = Part(
    Job(few_labels=LABELS, few_label_draws=10, probe=True),
    (Axis.over("method", SOURCES),),
    seeds=3,
    metrics=(*(f"few{k}_h" for k in LABELS), "probe_h"),
)
# Every supervised training makes about as many updates, whatever the number of its labels.
UPDATES, CLASSES, ALL, BATCH, WARMUP = 600, 10, 1437, 50, 0.04


def _labelled(per_class: int) -> dict[str, int]:
    """Return the settings of a training on so many labels a class, 0 for all."""
    images = per_class * CLASSES if per_class else ALL
    batch = min(BATCH, images)
    epochs = round(UPDATES / (images // batch))
    return {"labels": per_class, "batch": batch, "epochs": epochs, "warmup_epochs": round(WARMUP * epochs)}


SUPERVISED = Part(
    Job(method="supervised", few_labels=LABELS[:1], few_label_draws=1, view_draws=1),
    # The last row has all labels, 143.7 a class in the mean.
    (Axis("labels", {k: _labelled(k) for k in LABELS} | {ALL / CLASSES: _labelled(0)}),),
    # Each seed draws other labels, too.
    seeds=10,
    metrics=("accuracy",),
)


def findings(arrays: Arrays) -> dict[str, float]:
    """Return what few labels a class give to each kind of feature, and from scratch.

    `_std` is the standard deviation over the draws of labels (supervised, each with its own weights) or
    over the seeds of the weights, each the mean of ten draws.
    """
    told: dict[str, float] = {}
    for k in (1, 5, 20, 100):
        values = dict(zip(SOURCES, arrays[f"features_few{k}_h"], strict=True))
        values["supervised"] = arrays["supervised_accuracy"][LABELS.index(k)]
        for source, found in values.items():
            told |= {f"few{k}_{source}": float(found.mean()), f"few{k}_{source}_std": float(found.std())}
    return told


def _tiny(part: Part) -> Part:
    # Three epochs for every number of labels.
    axes = tuple(
        Axis(axis.name, {k: {**row, "epochs": 3, "warmup_epochs": 1} for k, row in axis.rows.items()})
        for axis in part.axes
    )
    return replace(part, base=part.base.with_(few_label_draws=2, view_draws=1), axes=axes, seeds=1)


RECIPE = table_recipe(
    name="label-efficiency",
    about="probes with 1 to all labels a class: pixels, untrained encoder, SimCLR; and training from scratch",
    slug="linear-probe",
    presets={
        "cpu": Table({"features": FEATURES, "supervised": SUPERVISED}),
        "gpu": Table({"features": replace(FEATURES, seeds=10), "supervised": replace(SUPERVISED, seeds=30)}),
        "small": Table({"features": _tiny(FEATURES), "supervised": _tiny(SUPERVISED)}),
    },
    findings=findings,
    file=__file__,
)
