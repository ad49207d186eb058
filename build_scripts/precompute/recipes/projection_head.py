"""What h and z each keep of an image, with no head, a linear one and a nonlinear one."""

from __future__ import annotations

from dataclasses import replace

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import Arrays, means
from build_scripts.precompute.table import Axis, Part, Table, table_recipe

__all__ = ["RECIPE"]

FACTORS = (
    "hue",
    "rotation",
    "texture",
    "background",
    "x",
    "y",
    "scale",
    "background_hue",
    "light",
    "brightness",
)
WIDTHS = (8, 32, 128)
HEADS: dict[str, dict[str, str | int]] = {"none": {"head": "none"}}
HEADS |= {f"{kind} {d}": {"head": kind, "d": d} for kind in ("linear", "nonlinear") for d in WIDTHS}
PART = Part(
    Job(
        dataset="factors",
        dataset_options={"count": 2048, "test_count": 512, "size": 32},
        encoder="conv",
        width=16,
        hidden=128,
        views=("crop", "flip", "color", "grey", "noise"),
        strength=0.8,
        epochs=30,
        probe=True,
        factors=FACTORS,
    ),
    (Axis("head", HEADS),),
    seeds=3,
    metrics=(
        *("loss_train", "chance", "probe", "probe_h", "few5", "few5_h", "rank_z", "rank_h"),
        *(f"chance_{name}" for name in FACTORS),
        *(f"factor_{name}{end}" for name in FACTORS for end in ("", "_h")),
    ),
)
SMALL = replace(
    PART,
    base=PART.base.with_(epochs=2, dataset_options={"count": 256, "test_count": 128}, few_label_draws=2),
    axes=(Axis("head", {name: HEADS[name] for name in ("none", "nonlinear 32")}),),
    seeds=1,
)


def findings(arrays: Arrays) -> dict[str, float]:
    """Return what h and z give under the nonlinear head of width 32 (or the last), for class and factors."""
    row = min(5, len(means(arrays, "factors_probe")) - 1)
    told = {}
    for name in ("probe", *(f"factor_{factor}" for factor in FACTORS)):
        told[f"{name}_z"] = float(means(arrays, f"factors_{name}")[row])
        told[f"{name}_h"] = float(means(arrays, f"factors_{name}_h")[row])
    return told


RECIPE = table_recipe(
    name="projection-head",
    about="SimCLR with no, a linear and a nonlinear head; probes of h and z for class and factors",
    slug="projection-head",
    presets={
        "cpu": Table({"factors": PART}),
        "gpu": Table(
            {"factors": replace(PART, base=PART.base.with_(encoder="resnet18", width=0, epochs=100), seeds=5)}
        ),
        "small": Table({"factors": SMALL}),
    },
    findings=findings,
    file=__file__,
)
