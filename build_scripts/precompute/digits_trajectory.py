"""Where every held-out digit lies on the circle and on the sphere, at every epoch of SimCLR's training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from build_scripts.precompute import digits
from build_scripts.precompute.config import SimclrConfig
from build_scripts.precompute.evaluate import HIST_EDGES, Probe, as_tensor
from build_scripts.precompute.quantise import Exported, quantise
from build_scripts.precompute.recipe import Recipe, Result, Run
from build_scripts.precompute.record import record
from build_scripts.precompute.simclr import Epoch
from build_scripts.precompute.views import generator, random_views
from sim_engine.projection import align_trajectory

__all__ = ["RECIPE"]

# Name, unit and meaning of the arrays of length epochs + 1; each is exported once for every dimension.
CURVES = {
    "loss_train": ("nats", "NT-Xent, mean over the epoch's training batches; epoch 0 without a step"),
    "loss": ("nats", "NT-Xent of held-out views, in batches of N pairs"),
    "top1": ("", "share of held-out views whose positive is the nearest of the batch's other 2N - 1"),
    "top5": ("", "share of held-out views whose positive is among the 5 nearest of the batch's other 2N - 1"),
    "alignment": ("", "mean squared distance between the two views of a held-out image"),
    "uniformity": ("nats", "uniformity (t = 2) of z of the held-out images"),
    "knn": ("", "share of held-out images that the kNN in z classes rightly"),
    "knn_h": ("", "share of held-out images that the kNN in h classes rightly"),
    "few_label": ("", "share classed rightly from a few labels a class on z, mean over draws"),
    "few_label_std": ("", "standard deviation of few_label over draws"),
    "few_label_h": ("", "share classed rightly from a few labels a class on h, mean over draws"),
    "few_label_h_std": ("", "standard deviation of few_label_h over draws"),
}


@dataclass(frozen=True)
class TrajectoryConfig(SimclrConfig):
    """`SimclrConfig`, several times.

    Attributes:
        repeats: trainings of each dimension, >= 1; each has the seeds of weights and of views of the one
            before, and one more. The first is shown; the others tell how much of it is chance.
    """

    repeats: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.repeats < 1:
            raise ValueError(f"repeats must be a whole number >= 1, got {self.repeats}")

    def each(self) -> list[Self]:
        """Return the settings of every training."""
        seeds = [(self.seed_model + i, self.seed_views + i) for i in range(self.repeats)]
        return [replace(self, seed_model=model, seed_views=views) for model, views in seeds]

    def seeds(self) -> dict[str, int]:
        """Return the seeds of the first training by short name, and the number of trainings."""
        return super().seeds() | {"repeats": self.repeats}


def run(config: TrajectoryConfig, run: Run) -> Result:
    """Train for every dimension, measure every epoch of the first training, and return what the sim shows."""
    train, held_out = digits.split(digits.load(), config.held_out, config.seed_split)
    arrays = {
        "label": Exported(held_out.labels, "digit of each held-out image"),
        "image": Exported(_grey(held_out.images / digits.WHITE), "held-out images, 0 (paper) to 255 (ink)"),
        **_example_views(held_out, config),
        "hist_edges": Exported(HIST_EDGES, "edges of the bins of the cosine histograms"),
    }
    metrics = {
        "batch_pairs": config.batch,
        "train_images": len(train.labels),
        "held_out_images": len(held_out.labels),
        "loss_equal": math.log(2 * config.batch - 1),
        "top1_chance": 1 / (2 * config.batch - 1),
        "top5_chance": 5 / (2 * config.batch - 1),
    }
    seconds = 0.0
    probe = Probe(train, held_out, config, run.fabric.device)

    def ends(epoch: Epoch) -> dict[str, Tensor]:
        return probe.measure(epoch) if epoch.number in (0, config.epochs) else {}

    for dimension in config.dimensions:
        told = []
        for i, own in enumerate(config.each()):
            measure, work = (ends, run.work / f"training-{i}") if i else (probe.measure, run.work)
            records, spent = record(dimension, train.images, measure, own, replace(run, work=work))
            if not i:
                arrays |= _arrays(dimension, records)
            told.append(_metrics(dimension, records))
            seconds += spent
        metrics |= told[0] | _over_trainings(told)
    return Result(arrays, metrics, seconds)


def _arrays(dimension: int, records: list[dict[str, Tensor]]) -> dict[str, Exported]:
    z = align_trajectory(np.stack([record["z"].numpy() for record in records]))
    surface = {2: "circle", 3: "sphere"}.get(dimension, "hypersphere")
    about = f"held-out images on the unit {surface}: epoch, image, coordinate; turned onto the epoch before"
    arrays = {f"z{dimension}": quantise(z, about)}
    for name, (unit, meaning) in CURVES.items():
        arrays[f"{name}_{dimension}"] = Exported(np.array([float(r[name]) for r in records]), meaning, unit)
    for name in ("negatives_hist", "positives_hist"):
        counts = records[-1][name].numpy().astype(np.int32)
        kind = name.removesuffix("_hist")
        arrays[f"{name}_{dimension}"] = Exported(
            counts, f"cosines of held-out {kind} at the last epoch", "pairs"
        )
    return arrays


def _metrics(dimension: int, records: list[dict[str, Tensor]]) -> dict[str, float]:
    ends = {"first": records[0], "last": records[-1]}
    return {f"{name}_{dimension}_{end}": float(r[name]) for name in CURVES for end, r in ends.items()}


def _over_trainings(told: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of every number over the trainings, `..._mean`, and its standard deviation.

    The spreads over draws of labels are the first training's alone.
    """
    found: dict[str, float] = {}
    for name in told[0]:
        if "_std_" not in name:
            values = [own[name] for own in told]
            found |= {f"{name}_mean": float(np.mean(values)), f"{name}_mean_std": float(np.std(values))}
    return found


def _example_views(held_out: digits.Digits, config: SimclrConfig) -> Mapping[str, Exported]:
    """Return the first probe image of every digit, and two views of it."""
    rows = np.array([np.flatnonzero(held_out.labels == c)[0] for c in np.unique(held_out.labels)])
    images = as_tensor(held_out.images[rows], torch.device("cpu"))
    rng = generator(config.seed_evaluation, -1)
    pairs = [random_views(images, config.strength, rng).numpy()[:, 0] for _ in range(2)]
    return {
        "example": Exported(rows.astype(np.int32), "row of the first held-out image of each digit"),
        "example_views": Exported(
            _grey(np.stack(pairs, axis=1)), "two random views of each example, image by view by row by column"
        ),
    }


def _grey(ink: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    grey: NDArray[np.uint8] = np.rint(np.clip(ink, 0, 1) * 255).astype(np.uint8)
    return grey


RECIPE = Recipe(
    name="digits-trajectory",
    about="SimCLR on scikit-learn's digits with z on a circle and on a sphere, every epoch recorded",
    slug="embedding-training",
    dataset=digits.ABOUT,
    modules=(
        "config",
        "digits",
        "digits_trajectory",
        "evaluate",
        "model",
        "nt_xent",
        "quantise",
        "record",
        "simclr",
        "views",
    ),
    run=run,
    config=TrajectoryConfig(),
)
