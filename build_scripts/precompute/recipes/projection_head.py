"""What h and z each keep of an image, with no head, a linear one and a nonlinear one."""

from __future__ import annotations

from dataclasses import replace

from build_scripts.precompute.job import Job
from build_scripts.precompute.recipes.shared import Arrays, means
from build_scripts.precompute.table import Axis, Part, Table, table_recipe

__all__ = ["RECIPE"]

# Colour, rotation, texture, position and the rest, as each picture was rendered; and noise or not.
FACTORS = (
    *("hue", "background_hue", "rotation", "texture", "x", "y", "scale", "light", "brightness"),
    *("corrupted", "greyed"),
)
# A rendered picture has no upright; a digit has, so here a quarter turn can be read.
DIGITS_FACTORS = ("background_hue", "foreground_lightness", "turned", "corrupted", "greyed")
WIDTHS = (8, 64)
HEADS: dict[str, dict[str, str | int]] = {"none": {"head": "none"}}
HEADS |= {f"{kind} {d}": {"head": kind, "d": d} for kind in ("linear", "nonlinear") for d in WIDTHS}
MEASURED = ("loss_train", "chance", "probe", "probe_h", "rank_z", "rank_h")


def _part(base: Job) -> Part:
    ends = (f"{name}{end}" for name in base.factors for end in ("", "_h"))
    metrics = (
        *MEASURED,
        *(f"chance_{name}" for name in base.factors),
        *(f"factor_{name}" for name in ends),
    )
    return Part(base, (Axis("head", HEADS),), seeds=3, metrics=metrics)


PART = _part(
    Job(
        dataset="factors",
        dataset_options={"count": 512, "test_count": 256, "size": 32},
        encoder="conv",
        width=8,
        hidden=64,
        views=("crop", "flip", "color", "grey", "noise"),
        strength=0.8,
        view_options={"geometry": 0.5},
        epochs=10,
        batch=64,
        few_labels=(),
        view_draws=1,
        probe=True,
        factors=FACTORS,
    )
)
DIGITS = _part(
    Job(
        dataset="tinted-digits",
        views=("crop", "color", "grey", "noise"),
        strength=1.0,
        view_options={"geometry": 0.2, "hue": 0.5, "color_p": 1.0},
        width=128,
        epochs=15,
        few_labels=(),
        view_draws=1,
        probe=True,
        factors=DIGITS_FACTORS,
    )
)


def _tiny(part: Part) -> Part:
    options = {"count": 256, "test_count": 128} if part is PART else {}
    return replace(
        part,
        base=part.base.with_(epochs=2, dataset_options=options),
        axes=(Axis("head", {name: HEADS[name] for name in ("none", "nonlinear 64")}),),
        seeds=1,
    )


def findings(arrays: Arrays) -> dict[str, float]:
    """Return what h and z give under the widest nonlinear head, the last, for class and factors."""
    told = {}
    for name in arrays:
        part, _, measure = name.partition("_")
        if measure.endswith("_h") and measure.startswith(("probe", "factor")):
            what = measure.removesuffix("_h")
            told[f"{part}_{what}_z"] = float(means(arrays, f"{part}_{what}")[-1])
            told[f"{part}_{what}_h"] = float(means(arrays, name)[-1])
            chance = f"{part}_{what.replace('factor', 'chance', 1)}" if what != "probe" else f"{part}_chance"
            told[f"{chance}"] = float(means(arrays, chance)[-1])
    return told


RECIPE = table_recipe(
    name="projection-head",
    about="SimCLR with no, a linear and a nonlinear head; probes of h and z for class and factors",
    slug="projection-head",
    presets={
        "cpu": Table({"factors": PART, "digits": DIGITS}),
        "gpu": Table(
            {
                "factors": replace(
                    PART,
                    base=PART.base.with_(
                        encoder="resnet18",
                        width=0,
                        hidden=128,
                        batch=256,
                        epochs=100,
                        dataset_options={"count": 8192, "test_count": 1024},
                    ),
                    seeds=5,
                ),
                "digits": replace(DIGITS, base=DIGITS.base.with_(width=256, epochs=200), seeds=5),
            }
        ),
        "small": Table({"factors": _tiny(PART), "digits": _tiny(DIGITS)}),
    },
    findings=findings,
    file=__file__,
)
