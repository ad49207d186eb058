"""What a few labels give: to a probe of three kinds of feature, and to a network trained on them alone."""

from __future__ import annotations

from dataclasses import replace

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import Arrays, means
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
SUPERVISED = Part(
    Job(method="supervised", few_labels=LABELS[:1], probe=True, batch=64),
    # The last row has all labels, 143.7 a class in the mean.
    (Axis("labels", {k: {"labels": k} for k in LABELS} | {143.7: {"labels": 0}}),),
    seeds=3,
    metrics=("accuracy",),
)


def findings(arrays: Arrays) -> dict[str, float]:
    """Return what one and five labels a class give to each kind of feature, and from scratch."""
    told: dict[str, float] = {}
    for k in (1, 5):
        told |= {
            f"few{k}_{source}": float(v)
            for source, v in zip(SOURCES, means(arrays, f"features_few{k}_h"), strict=True)
        }
        told[f"few{k}_supervised"] = float(means(arrays, "supervised_accuracy")[LABELS.index(k)])
    return told


def _tiny(part: Part) -> Part:
    return replace(part, base=part.base.with_(epochs=3, few_label_draws=2, view_draws=1), seeds=1)


RECIPE = table_recipe(
    name="label-efficiency",
    about="probes with 1 to all labels a class: pixels, untrained encoder, SimCLR; and training from scratch",
    slug="linear-probe",
    presets={
        "cpu": Table({"features": FEATURES, "supervised": SUPERVISED}),
        "gpu": Table({"features": replace(FEATURES, seeds=10), "supervised": replace(SUPERVISED, seeds=10)}),
        "small": Table({"features": _tiny(FEATURES), "supervised": _tiny(SUPERVISED)}),
    },
    findings=findings,
    file=__file__,
)
