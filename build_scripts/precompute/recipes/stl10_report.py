"""A whole report on a training: curves, t-SNE, the probe class by class, and what a few labels give."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from build_scripts.precompute.datasets import Dataset
from build_scripts.precompute.device_views import SIMCLR
from build_scripts.precompute.fingerprint import own_and_shared
from build_scripts.precompute.measures import PROBE_L2, as_images, embeddings, standardised
from build_scripts.precompute.methods import Method
from build_scripts.precompute.quantise import Exported, quantise
from build_scripts.precompute.recipe import Recipe, Result, Run
from build_scripts.precompute.recipes.image_run import (
    ImageRun,
    Trained,
    a_row_a_training,
    build,
    curves,
    each_trained,
    ends,
    load,
    over_trainings,
)
from build_scripts.precompute.recipes.stage_pictures import moved, stage_pictures
from sim_engine import metrics

__all__ = ["RECIPE", "Report", "record_report", "stages"]

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

# Of the labels, those that a probe is fitted on.
SHARES = (0.01, 0.1, 1.0)


@dataclass(frozen=True)
class Report(ImageRun):
    """`ImageRun`'s settings, and how often a share of the labels is drawn.

    Attributes:
        share_draws: how many random sets of labels a probe of a few is fitted on.

    Raises:
        ValueError: as `ImageRun`, or there is one epoch alone.
    """

    share_draws: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.epochs < 2:
            raise ValueError(
                f"epochs must be >= 2, so that there is more than one picture, got {self.epochs}"
            )


def stages(epochs: int) -> tuple[int, ...]:
    """Return the epochs whose h is drawn: the first, a third, two thirds, the last."""
    return tuple(sorted({1, *(max(1, round(epochs * share)) for share in (1 / 3, 2 / 3, 1.0))}))


def run(config: Report, run: Run) -> Result:
    """Load the images, and report on the training."""
    return record_report(config, load(config), run)


def record_report(config: Report, data: Dataset, run: Run) -> Result:
    """Train as often as told; return curves, pictures, the probe of h, and the probes of a few labels."""
    if data.train.labels is None or data.test.labels is None:
        raise ValueError(f"{data.name} has no labels for a probe to read; take another dataset")
    moments = stages(config.epochs)
    arrays: dict[str, Exported] = {}
    told: list[dict[str, float]] = []
    found: list[dict[str, Exported]] = []
    seconds = 0.0
    for own, trained in each_trained(config, data, moments, run):
        if not found:
            arrays = _pictures(config, moments, trained, data.test.labels)
        probes, numbers = _report(own, data, trained.method, run)
        lines = curves(trained, own)
        found.append(lines | probes)
        told.append(numbers | ends(lines))
        seconds += trained.seconds
    arrays |= a_row_a_training(found)
    smallest = _counts(data.train.labels)
    arrays["share"] = Exported(np.array(SHARES), "shares of the labels, of each class, at least one")
    arrays["labels_a_class"] = Exported(smallest, "labels a class at each share; 0 for all")
    source = data.train if data.unlabelled is None else data.unlabelled
    batch = min(config.batch, config.measured or len(data.test))
    metrics_told = over_trainings(told) | {
        "batch_pairs": config.batch,
        "train_images": len(source),
        "labelled_images": len(data.train),
        "held_out_images": len(data.test),
        "loss_equal": math.log(2 * config.batch - 1),
        "top1_chance": 1 / (2 * batch - 1),
        "top5_chance": 5 / (2 * batch - 1),
        "label_chance": float(np.bincount(data.test.labels).max() / len(data.test)),
        "picture_moved": float(arrays["picture_moved"].array.mean()),
    }
    about = data.provenance() | {"classes": list(data.classes)}
    return Result(arrays, metrics_told, seconds, dataset=about)


def _pictures(
    config: Report, moments: tuple[int, ...], trained: Trained, labels: Int64
) -> dict[str, Exported]:
    drawn = stage_pictures(
        [record["h"] for record in trained.records if "h" in record],
        perplexity=config.perplexity,
        steps=config.picture_steps,
    )
    epochs = np.array([record["epoch"] for record in trained.records], np.int16)
    return {
        "epoch": Exported(epochs, "the epochs that were measured", "epochs"),
        "stage": Exported(np.array(moments, np.int16), "the epochs whose h is drawn", "epochs"),
        "label": Exported(labels[trained.shown].astype(np.uint8), "class of each image of the pictures"),
        "picture": quantise(
            drawn.y, "t-SNE of h: stage, image, coordinate; each begun and turned at the one before"
        ),
        "picture_kl": Exported(drawn.kl, "divergence of each picture from its features", "nats"),
        "picture_moved": Exported(moved(drawn.y), "mean way of a point to the next picture, over its size"),
    }


def _report(
    config: Report, data: Dataset, method: Method, run: Run
) -> tuple[dict[str, Exported], dict[str, float]]:
    """Return the probe of h by class and the probes of a few labels, and their means."""
    known, truth = data.train.labels, data.test.labels
    if known is None or truth is None:
        raise ValueError(f"{data.name} has no labels")
    fresh = build(config, data.train.images.shape[3], data.train.images.shape[1]).to(run.fabric.device)
    with threadpool_limits(1):
        reference, rows = _features(method, data, run)
        said = metrics.softmax_regression(reference, known, l2=PROBE_L2).predict(rows)
        classes = np.arange(len(data.classes))
        counts = metrics.confusion(truth, said, classes=classes).counts
        scores = metrics.precision_recall_f1(truth, said, classes=classes)
        few = {
            "trained": _efficiency(config, reference, known, rows, truth),
            "untrained": _efficiency(config, *_labelled(_features(fresh, data, run), known), truth),
        }
    arrays = {"confusion": Exported(counts.astype(np.int32), "true class by class that the probe named")}
    for name in ("precision", "recall", "f1"):
        values: Float64 = getattr(scores, name)
        arrays[f"class_{name}"] = Exported(values, f"{name} of the probe of h with all labels, by class")
    told = {"accuracy": float((said == truth).mean()), "f1_mean": float(scores.f1.mean())}
    for name, values in few.items():
        about = f"share classed rightly by a probe of h of the {name} network, by share of the labels"
        arrays[f"efficiency_{name}"] = Exported(values[:, 0], f"{about}: mean over draws")
        arrays[f"efficiency_{name}_std"] = Exported(values[:, 1], f"{about}: standard deviation over draws")
        told |= {f"{name}_{100 * s:g}_percent": float(v) for s, v in zip(SHARES, values[:, 0], strict=True)}
    return arrays, told


def _features(method: Method, data: Dataset, run: Run) -> tuple[Float64, Float64]:
    """Return h of the labelled training part and of the test part, standardised by the former."""
    parts = [as_images(part.images, run.fabric.device) for part in (data.train, data.test)]
    return standardised(*(embeddings(method.embed, images)[0] for images in parts))


def _labelled(features: tuple[Float64, Float64], known: Int64) -> tuple[Float64, Int64, Float64]:
    return features[0], known, features[1]


def _efficiency(config: Report, reference: Float64, known: Int64, rows: Float64, truth: Int64) -> Float64:
    """Return mean and standard deviation of the probe's accuracy at each share of the labels, (3, 2)."""
    found = []
    for count in _counts(known):
        if count == 0:
            found.append((metrics.linear_probe(reference, known, rows, truth, l2=PROBE_L2), 0.0))
            continue
        rng = np.random.default_rng(config.seed_measures)
        few = metrics.few_label_probe(
            reference,
            known,
            rows,
            truth,
            per_class=int(count),
            rng=rng,
            draws=config.share_draws,
            l2=PROBE_L2,
        )
        found.append((few.mean, few.spread))
    return np.array(found)


def _counts(known: Int64) -> NDArray[np.int32]:
    """Return the labels a class at each share, 0 for all of them."""
    smallest = int(np.unique(known, return_counts=True)[1].min())
    return np.array([0 if s == 1 else max(1, round(s * smallest)) for s in SHARES], np.int32)


# The student's: ResNet-18, batches of 256, Adam at 3e-4 with a cosine, 300 epochs, perplexity 50.
GPU = Report(
    dataset="factors",
    size=96,
    count=20000,
    test_count=4000,
    epochs=300,
    batch=256,
    learning_rate=3e-4,
    optimizer="adam",
    warmup_epochs=10,
    encoder="resnet18",
    width=0,
    d=128,
    hidden=0,
    tau=0.2,
    views=SIMCLR,
    strength=1.0,
    every=5,
    measured=2000,
    shown=1000,
    perplexity=50.0,
    picture_steps=750,
)
# Photographs: the small network tells those apart, and learns nothing of the shape of `factors` in minutes.
CPU = replace(
    GPU,
    dataset="photos",
    size=32,
    count=100,
    test_count=30,
    epochs=20,
    batch=128,
    learning_rate=2e-3,
    warmup_epochs=2,
    encoder="conv",
    width=16,
    d=32,
    hidden=64,
    strength=0.5,
    every=1,
    measured=0,
    shown=400,
    picture_steps=500,
)
SMALL = replace(
    CPU,
    dataset="factors",
    count=200,
    test_count=60,
    epochs=3,
    batch=40,
    warmup_epochs=1,
    width=4,
    shown=60,
    repeats=2,
    few_labels=3,
    few_label_draws=2,
    view_draws=1,
    share_draws=2,
    perplexity=8.0,
    picture_steps=60,
)
_MODULES, _CODE = own_and_shared(__file__)
_run: Any = run
RECIPE = Recipe(
    name="stl10-report",
    about="SimCLR by the recipe of a published student report: curves, t-SNE, probe by class, few labels",
    slug="stl10-report",
    dataset={},
    modules=_MODULES,
    code=_CODE,
    run=_run,
    config=CPU,
    presets={
        "cpu": CPU,
        "gpu": GPU,
        "stl10": replace(GPU, dataset="stl10"),
        "cifar10": replace(GPU, dataset="cifar10"),
        "small": SMALL,
    },
)
